/** Finds facts about code style in the syntax tree of a source, for the test that checks them. */
import { parseSync } from '@swc/core';

/** Any node of the tree; only its general shape is known. */
type Node = Readonly<Record<string, unknown>> & { readonly type?: string };

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

const treeOf = (text: string): readonly Node[] =>
  parseSync(text, { syntax: 'typescript' }).body as unknown as readonly Node[];

/** Keys of a node under which a name is not the use of a variable: `a.name`, `{ name: a }`, `{ name: string }`. */
const NAMING: Readonly<Record<string, string>> = {
  MemberExpression: 'property',
  KeyValueProperty: 'key',
  TsPropertySignature: 'key',
};

/** Visits every node, parents first, except imports and property names. */
const visit = (value: unknown, see: (node: Node) => void): void => {
  if (Array.isArray(value)) for (const each of value) visit(each, see);
  else if (isNode(value) && value.type !== 'ImportDeclaration') {
    see(value);
    for (const [key, child] of Object.entries(value)) {
      const isName = NAMING[value.type ?? ''] === key && isNode(child) && child.type !== 'Computed';
      if (!isName) visit(child, see);
    }
  }
};

const positionOf = (node: Node): number => (node.span as { readonly start: number }).start;

const isFunction = (node: unknown): boolean =>
  isNode(node) && ['ArrowFunctionExpression', 'FunctionExpression'].includes(node.type ?? '');

/** Names of functions that are declared with `function`, except generators. */
export const functionsIn = (text: string): readonly string[] => {
  const names: string[] = [];
  visit(treeOf(text), (node) => {
    if (node.type !== 'FunctionDeclaration' && node.type !== 'FunctionExpression') return;
    if (node.generator === true) return;
    names.push(isNode(node.identifier) ? String(node.identifier.value) : '(nameless)');
  });
  return names;
};

/** Names that a module exports as its own: declared there, listed in an `export { … }`, or passed on under another name. */
export const exportsIn = (text: string): readonly string[] =>
  treeOf(text).flatMap((item) => {
    if (item.type === 'ExportDeclaration') {
      const { id, identifier, declarations = [] } = item.declaration as Node;
      return [id, identifier, ...(declarations as readonly Node[]).map((each) => each.id)].flatMap(nameOf);
    }
    if (item.type !== 'ExportNamedDeclaration') return [];
    const isOwn = !isNode(item.source);
    return (item.specifiers as readonly Node[]).flatMap(({ orig, exported }) => {
      const [own = ''] = nameOf(orig);
      const [name = own] = nameOf(exported);
      return isOwn || name !== own ? [name] : [];
    });
  });

const nameOf = (node: unknown): readonly string[] =>
  isNode(node) && 'value' in node ? [String(node.value)] : [];

/** Names of a module's constants (not functions) that are used above their definition. */
export const lateConstantsIn = (text: string): readonly string[] => {
  const tree = treeOf(text);
  const declared = new Map<string, number>();
  for (const item of tree) {
    const declaration = (item.type === 'ExportDeclaration' ? item.declaration : item) as Node;
    if (declaration.type !== 'VariableDeclaration') continue;
    for (const { id, init } of declaration.declarations as readonly { id: Node; init: unknown }[]) {
      if (isFunction(init)) continue;
      visit({ ...id, typeAnnotation: null }, (node) => {
        if (node.type === 'Identifier') declared.set(String(node.value), positionOf(node));
      });
    }
  }
  const late = new Set<string>();
  visit(tree, (node) => {
    const at = node.type === 'Identifier' ? declared.get(String(node.value)) : undefined;
    if (at !== undefined && positionOf(node) < at) late.add(String(node.value));
  });
  return [...late];
};
