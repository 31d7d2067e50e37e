import { type Algorithm, Args, type Context } from './algorithm.ts'
import { ApiError, badRequest } from './api-error.ts'
import { type FunctionValue, isKind, type Value } from './values.ts'

/**
 * An expression as the client library sends it: a table of nodes that refer to each other by name, and the name of the
 * one that is the result.
 */
interface Graph {
  readonly result: string
  readonly values: Readonly<Record<string, unknown>>
}

/** Nested deeper than any expression of a person's making; it ends cycles and stack overflows. */
const MAX_DEPTH = 400

interface Scope {
  readonly bound: ReadonlyMap<string, Value>
  /** Values of named nodes that depend on the bound arguments. */
  readonly known: Map<string, Value>
}

type Node = Readonly<Record<string, unknown>>

/**
 * Evaluates an expression graph. A node that several others refer to is evaluated once.
 *
 * @throws ApiError 400 for what Earth Engine refuses: unknown functions by name, wrong types, null arguments
 */
export function evaluateGraph(
  expression: unknown,
  algorithms: ReadonlyMap<string, Algorithm>,
  context: Context,
): Value {
  const graph = checkedGraph(expression)
  const root: Scope = { bound: new Map(), known: new Map() }
  const free = new Map<string, boolean>()
  let depth = 0

  /** Whether a node's value depends on arguments of a function around it. */
  function isFree(value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false
    if (Array.isArray(value)) return value.some(isFree)
    const node = value as Node
    if (typeof node.argumentReference === 'string') return true
    if (typeof node.valueReference === 'string') return isFreeNamed(node.valueReference)
    if ('constantValue' in node) return false
    const definition = node.functionDefinitionValue as Node | undefined
    if (definition && typeof definition.body === 'string') return isFreeNamed(definition.body)
    return Object.values(node).some(isFree)
  }

  function isFreeNamed(name: string): boolean {
    const known = free.get(name)
    if (known !== undefined) return known
    free.set(name, false)
    const result = isFree(graph.values[name])
    free.set(name, result)
    return result
  }

  function named(name: string, scope: Scope): Value {
    if (!Object.hasOwn(graph.values, name)) throw badRequest(`Invalid value reference: '${name}'.`)
    const { known } = isFreeNamed(name) ? scope : root
    if (known.has(name)) return known.get(name)!
    const value = node(graph.values[name], scope)
    known.set(name, value)
    return value
  }

  function node(value: unknown, scope: Scope): Value {
    if (++depth > MAX_DEPTH) throw badRequest('Expression is nested too deeply or refers to itself.')
    try {
      return nodeOf(value, scope)
    } finally {
      depth--
    }
  }

  function nodeOf(value: unknown, scope: Scope): Value {
    if (typeof value !== 'object' || value === null)
      throw badRequest('Invalid expression: a value node must be an object.')
    const each = value as Node
    if ('constantValue' in each) return constant(each.constantValue)
    if (typeof each.valueReference === 'string') return named(each.valueReference, scope)
    if (typeof each.integerValue === 'string') return Number(each.integerValue)
    if (typeof each.argumentReference === 'string') {
      const bound = scope.bound.get(each.argumentReference)
      if (bound === undefined) throw badRequest(`Unbound function argument '${each.argumentReference}'.`)
      return bound
    }
    if (isObject(each.arrayValue)) return listOf(each.arrayValue.values).map((item) => node(item, scope))
    if (isObject(each.dictionaryValue))
      return new Map(entriesOf(each.dictionaryValue.values).map(([key, item]) => [key, node(item, scope)]))
    if (isObject(each.functionDefinitionValue)) return defined(each.functionDefinitionValue, scope)
    if (isObject(each.functionInvocationValue)) return invoked(each.functionInvocationValue, scope)
    throw badRequest(`Invalid expression: unknown value node with ${Object.keys(each).join(', ') || 'no member'}.`)
  }

  function defined(definition: Node, scope: Scope): FunctionValue {
    const parameters = listOf(definition.argumentNames).map(String)
    return {
      kind: 'function',
      parameters,
      call(values) {
        const bound = new Map(scope.bound)
        for (const [index, name] of parameters.entries()) bound.set(name, values[index] ?? null)
        return named(String(definition.body), { bound, known: new Map() })
      },
    }
  }

  function invoked(invocation: Node, scope: Scope): Value {
    const given = new Map(entriesOf(invocation.arguments).map(([key, item]) => [key, node(item, scope)]))
    if (typeof invocation.functionReference === 'string') {
      const called = named(invocation.functionReference, scope)
      if (!isKind(called, 'function')) throw badRequest('Invalid expression: the function called is not a function.')
      return called.call(called.parameters.map((name) => given.get(name) ?? null))
    }
    const name = String(invocation.functionName)
    const called = algorithms.get(name)
    if (!called) throw badRequest(`Unknown function '${name}'.`)
    return called.run(new Args(called, given), context)
  }

  try {
    return named(graph.result, root)
  } catch (error) {
    if (error instanceof ApiError || !(error instanceof RangeError)) throw error
    throw badRequest('Expression is nested too deeply or refers to itself.')
  }
}

function checkedGraph(expression: unknown): Graph {
  if (isObject(expression) && typeof expression.result === 'string' && isObject(expression.values)) {
    return { result: expression.result, values: expression.values }
  }
  throw badRequest("Invalid JSON payload received. 'expression' must have a 'result' and 'values'.")
}

const isObject = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value)

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const entriesOf = (value: unknown): [string, unknown][] => (isObject(value) ? Object.entries(value) : [])

function constant(value: unknown): Value {
  if (value === undefined || value === null) return null
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map(constant)
  return new Map(entriesOf(value).map(([key, item]) => [key, constant(item)]))
}
