import { describe, expect, it } from 'vitest';
import { postern } from './run.ts';

const HTTPS = ['--external-scheme', 'https'];

/** Golden files: what a person sees, reviewed like code. `vitest -u` writes them anew. */
describe('postern validate', () => {
  it.each([
    ['whole', 0],
    ['broken', 1],
    ['unusable', 1],
    ['twice', 1],
    ['empty', 0],
  ])('says of the objects "%s" what their golden file says, and exits with %i', async (name, code) => {
    const ran = await postern(['validate', `test/cli/objects/${name}`, ...HTTPS]);
    expect(ran.stderr).toBe('');
    expect(ran.code).toBe(code);
    await expect(ran.stdout).toMatchFileSnapshot(`golden/${name}.txt`);
  });

  it('says the same as one JSON document', async () => {
    const ran = await postern(['validate', 'test/cli/objects/broken', ...HTTPS, '--output', 'json']);
    expect(ran.code).toBe(1);
    await expect(ran.stdout).toMatchFileSnapshot('golden/broken.json.txt');
    const whole = await postern(['validate', 'test/cli/objects/whole', ...HTTPS, '--output=json']);
    expect(whole.code).toBe(0);
    await expect(whole.stdout).toMatchFileSnapshot('golden/whole.json.txt');
    const unusable = await postern(['validate', 'test/cli/objects/unusable', '--output=json']);
    expect(JSON.parse(unusable.stdout)).toMatchObject({ ok: false, routes: null });
  });

  it('takes files, by whatever name, besides directories', async () => {
    const files = ['shop', 'login'].map((name) => `test/cli/objects/whole/${name}.yaml`);
    const ran = await postern(['validate', ...files, ...HTTPS]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain('Route shop/orders  Protected by OidcPlugin shop/login: any account');
  });

  it('names what is not there', async () => {
    const ran = await postern(['validate', 'test/cli/objects/nowhere', 'package.json', '/dev/null']);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('test/cli/objects/nowhere: problem: no such file or directory');
    expect(ran.stdout).toContain('/dev/null: problem: this is neither a file nor a directory');
    expect(ran.stdout).toMatch(/package\.json:\d+: problem: apiVersion/);
  });

  it('A180 prints no secret', async () => {
    for (const output of ['text', 'json']) {
      const ran = await postern(['validate', 'test/cli/objects/whole', '--output', output]);
      expect(ran.stdout + ran.stderr).not.toContain('marked-secret');
      expect(ran.stdout).toContain('shop');
    }
  });

  it('has no colours where the output is no terminal', async () => {
    const ran = await postern(['validate', 'test/cli/objects/broken'], { FORCE_COLOR: '1' });
    expect(ran.stdout).not.toContain('\u001b[');
  });
});
