/**
 * The public surface as text: every name that an entry point exports, with its declaration as TypeScript makes it of the sources, without comments, and
 * without members that are marked as internal.
 *
 * Not here: whether a change of it is right (package.test.ts holds it against public.txt, a person decides).
 */

import { readFileSync } from "node:fs";
import { posix } from "node:path";
import ts from "@tsd/typescript";
import { projectPath } from "../support/root.ts";

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  isolatedDeclarations: true,
  declaration: true,
};
const printer = ts.createPrinter({ removeComments: true });
const files = new Map<string, ts.SourceFile>();

/** The declarations of a source. */
function declarationsOf(path: string): ts.SourceFile {
  let file = files.get(path);
  if (file === undefined) {
    const { outputText } = ts.transpileDeclaration(readFileSync(projectPath(path), "utf8"), {
      fileName: path,
      compilerOptions: OPTIONS,
    });
    file = ts.createSourceFile(path, outputText, ts.ScriptTarget.ES2022, true);
    files.set(path, file);
  }
  return file;
}

/** The exports of an entry point, by name, each with its declarations. */
function exportsOf(path: string): Map<string, ts.Statement[]> {
  const found = new Map<string, ts.Statement[]>();
  for (const statement of declarationsOf(path).statements) {
    if (ts.isExportDeclaration(statement)) {
      const from = statement.moduleSpecifier === undefined ? path : sourceOf(path, statement.moduleSpecifier);
      if (statement.exportClause === undefined || !ts.isNamedExports(statement.exportClause)) continue;
      for (const { name, propertyName } of statement.exportClause.elements)
        found.set(
          name.text,
          from === path ? localOf(path, (propertyName ?? name).text) : namedIn(from, (propertyName ?? name).text),
        );
    } else if (isExported(statement))
      for (const name of namesOf(statement)) found.set(name, [...(found.get(name) ?? []), statement]);
  }
  return found;
}

function namedIn(path: string, name: string): ts.Statement[] {
  const found = exportsOf(path).get(name);
  if (found === undefined) throw new Error(`${path} exports no ${name}`);
  return found;
}

/** A name that a file exports apart from where it is declared, or imports. */
function localOf(path: string, name: string): ts.Statement[] {
  const { statements } = declarationsOf(path);
  for (const statement of statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const bindings = statement.importClause?.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) continue;
    const element = bindings.elements.find((one) => one.name.text === name);
    if (element !== undefined)
      return namedIn(sourceOf(path, statement.moduleSpecifier), (element.propertyName ?? element.name).text);
  }
  return statements.filter((statement) => namesOf(statement).includes(name));
}

function sourceOf(path: string, specifier: ts.Expression): string {
  return posix.join(posix.dirname(path), (specifier as ts.StringLiteral).text);
}

function isExported(statement: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false)
  );
}

function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map(({ name }) => name.getText());
  const { name } = statement as { readonly name?: ts.Identifier };
  return name === undefined ? [] : [name.text];
}

function isInternal(node: ts.Node): boolean {
  return ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal");
}

function textOf(statement: ts.Statement): string {
  const { transformed } = ts.transform<ts.Statement>(statement, [
    () => (node) => {
      if (ts.isClassDeclaration(node))
        return ts.factory.updateClassDeclaration(
          node,
          node.modifiers,
          node.name,
          node.typeParameters,
          node.heritageClauses,
          shown(node.members),
        );
      if (ts.isInterfaceDeclaration(node))
        return ts.factory.updateInterfaceDeclaration(
          node,
          node.modifiers,
          node.name,
          node.typeParameters,
          node.heritageClauses,
          shown(node.members),
        );
      return node;
    },
  ]);
  return printer.printNode(ts.EmitHint.Unspecified, transformed[0]!, statement.getSourceFile());
}

function shown<Member extends ts.ClassElement | ts.TypeElement>(members: ts.NodeArray<Member>): Member[] {
  return members.filter((member) => !isInternal(member) && !(member.name !== undefined && ts.isPrivateIdentifier(member.name)));
}

/** The surface of a package, by its entry points and the sources behind them. */
export function publicSurface(entries: Readonly<Record<string, string>>): string {
  const sections = Object.entries(entries).map(([entry, source]) => {
    const names = [...exportsOf(posix.normalize(source))].sort(([one], [other]) => (one < other ? -1 : 1));
    const texts = names.map(([, statements]) => [...new Set(statements)].map((statement) => textOf(statement)).join("\n"));
    return `// ── zookernel${entry.slice(1)} ──\n\n${texts.join("\n\n")}\n`;
  });
  return sections.join("\n");
}

/** Exports without a word of documentation, as `entry: name`. */
export function undocumented(entries: Readonly<Record<string, string>>): string[] {
  return Object.entries(entries).flatMap(([entry, source]) =>
    [...exportsOf(posix.normalize(source))]
      .filter(([, statements]) => !statements.some((statement) => ts.getJSDocCommentsAndTags(statement).length > 0))
      .map(([name]) => `zookernel${entry.slice(1)}: ${name}`),
  );
}
