/** A model of the original, with the mean top-1 accuracy over `HEADLINE_SETS` that its authors measured. */
export interface PublishedAverage {
  readonly model: string
  readonly architecture: string
  /** A share. */
  readonly average: number
}

/**
 * The table of the original's README (github.com/wangzhecheng/SkyScript, "Testing zero-shot classification performance"). It names the
 * last model like the second, SkyCLIP_ViT_B32_top50pct, but gives ViT-L14 as its type.
 */
export const PUBLISHED_AVERAGES: readonly PublishedAverage[] = [
  { model: 'laion2b_e16 (OpenCLIP)', architecture: 'ViT-B-32', average: 0.4966 },
  { model: 'SkyCLIP_ViT_B32_top50pct', architecture: 'ViT-B-32', average: 0.5302 },
  { model: 'OpenAI', architecture: 'ViT-L-14', average: 0.5376 },
  { model: 'CLIP_ViT_L14_LAION_RS', architecture: 'ViT-L-14', average: 0.5787 },
  { model: 'SkyCLIP_ViT_L14_top30pct', architecture: 'ViT-L-14', average: 0.5991 },
  { model: 'SkyCLIP_ViT_L14_top30pct_filtered_by_CLIP_laion_RS', architecture: 'ViT-L-14', average: 0.6069 },
  { model: 'SkyCLIP_ViT_L14_top50pct', architecture: 'ViT-L-14', average: 0.5993 },
]
