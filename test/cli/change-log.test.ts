import { describe, expect, it } from 'vitest';
import { tellPublication } from '../../src/cli/change-log.ts';
import type { PluginLog } from '../../src/plugins/contract.ts';
import { harness } from '../control/harness.ts';
import { service } from '../control/objects.ts';
import { tinyKind } from '../support/tiny-plugin.ts';

function recorded(): { readonly log: PluginLog; readonly lines: string[] } {
  const lines: string[] = [];
  const add =
    (level: string) =>
    (_: unknown, message: string): void => {
      lines.push(`${level} ${message}`);
    };
  return { log: { info: add('info'), warn: add('warn'), error: add('error') }, lines };
}

describe('the log of changes', () => {
  it('names every place of an object that is there twice, and says when that is over', async () => {
    const { log, lines } = recorded();
    const h = harness({ kinds: [tinyKind()], onPublished: (publication) => tellPublication(publication, log) });
    const at = (file: string) => ({ file, line: () => 3 });
    h.source.set('a', service('orders'), at('a.yaml'));
    h.source.set('b', service('orders'), at('b.yaml'));
    await h.control.start();
    expect(lines.filter((line) => line.startsWith('error '))).toEqual([
      expect.stringMatching(/^error a\.yaml:3: Service shop\/orders: metadata\.name: 2 objects of this kind/),
      expect.stringMatching(/^error b\.yaml:3: Service shop\/orders: metadata\.name: 2 objects of this kind/),
    ]);
    h.source.set('b', undefined);
    h.settle();
    expect(lines.at(-1)).toBe('info Service shop/orders has no problem any more');
    await h.control.stop();
  });
});
