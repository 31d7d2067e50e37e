import { basename } from 'node:path/posix'
import { formatCounted } from '@skyscript/core'
import { PROMPTS_FILE } from '../../benchmarks/index.ts'
import { plain } from '../../markdown.ts'
import { byCodePoints, classFolders } from './class-folders.ts'
import { linesOf, type SetLayout } from './layout.ts'
import { viewsOf } from './sets.ts'

const CLASS_LIST = 'classnames.txt'

/**
 * A folder for each class, as torchvision's ImageFolder reads it (`torchvision.datasets.folder.find_classes`): classes are
 * numbered in the order of the sorted folder names, so `classnames.txt` has them in this order and not in the set's own. A
 * class without images has no folder, which ImageFolder refuses, and so no line.
 */
export const imageFolder: SetLayout = {
  name: 'image-folder',
  refusal: ({ record }) => (record.task === 'retrieval' ? 'has captions, not classes' : null),
  foldersOf: (set) => viewsOf(set).map(({ name }) => name),
  async *files(set, { images, prompts, note }) {
    for (const { name, classes, rows } of viewsOf(set)) {
      const folders = classFolders(classes)
      const shown = new Set(rows.map(({ label }) => label))
      const sorted = [...shown].sort((a, b) => byCodePoints(folders[a]!, folders[b]!))
      const empty = classes.length - shown.size
      if (empty > 0) note(`${formatCounted(empty, 'class', 'classes')} of ${name} without images left out`)
      yield { path: `${name}/${CLASS_LIST}`, content: linesOf(sorted.map((label) => classes[label]!)) }
      yield { path: `${name}/${PROMPTS_FILE}`, content: linesOf(prompts) }
      const labels = new Map(rows.map(({ row, label }) => [row.filepath, label]))
      for await (const { row, image } of images(rows.map((each) => each.row))) {
        const folder = folders[labels.get(row.filepath)!]!
        yield { path: `${name}/${folder}/${basename(row.filepath)}`, content: image }
      }
    }
  },
  readme: (name) => `# Benchmark sets of ${plain(name)}

A folder for each set, and in it one for each class. With torchvision:

\`\`\`python
from torchvision.datasets import ImageFolder

images = ImageFolder("SkyScript_cls")
classes = open("SkyScript_cls/${CLASS_LIST}", encoding="utf-8").read().splitlines()
image, label = images[0]
classes[label]
\`\`\`

ImageFolder numbers classes in the order of the sorted folder names. \`${CLASS_LIST}\` has the names in this order, which may differ
from that of the set's own list; \`/\` and other characters that a folder can't have in its name are \`_\` there. \`${PROMPTS_FILE}\` has
the set's prompts, with \`{c}\` for the class. A set with a second column of labels has a second folder, such as \`roof_shape_v2\`.

Licences and the notices to pass on: \`ATTRIBUTION.md\`.
`,
}
