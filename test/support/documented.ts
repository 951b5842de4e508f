import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The shell commands that a page of the repository gives in the first block after a line of text, one each; throws where
 * there are none. `page` is a path from the repository's root.
 */
export function documentedCommands(page: string, line: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, '..', '..', page), 'utf8');
  const below = text.split(`\n${line}\n`)[1] ?? '';
  const block = /^\s*```sh\n([\s\S]*?)```/.exec(below)?.[1] ?? '';
  const commands = block.split('\n').flatMap((command) => command.replace(/ +# .*$/, '').trim() || []);
  if (commands.length === 0) throw new Error(`${page} has no block of shell commands after the line ${line}`);
  return commands;
}

/** The three ways onto a cluster that README.md gives, by the line above their commands. */
export const README_WAYS = {
  helm: 'With Helm:',
  kubectl: 'With kubectl alone:',
  kind: 'On kind, from this repository:',
} as const;

/** What README.md says for one of them. */
export const readmeWay = (way: keyof typeof README_WAYS): readonly string[] =>
  documentedCommands('README.md', README_WAYS[way]);
