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

  it.each([
    ['cluster', 0, []],
    ['cluster-broken', 1, []],
    ['cluster-owned', 1, ['--host-owner', '*.example.com=shop', '--url-backends', 'Any']],
  ])(
    '--kubernetes says of the manifests "%s" what their golden file says, and exits with %i',
    async (name, code, flags) => {
      const objects = name === 'cluster-owned' ? 'cluster-broken' : name;
      const ran = await postern(['validate', '--kubernetes', `test/cli/objects/${objects}`, ...flags]);
      expect(ran.stderr).toBe('');
      await expect(ran.stdout).toMatchFileSnapshot(`golden/${name}.txt`);
      expect(ran.code).toBe(code);
      expect(ran.stdout).not.toContain('marked-secret');
    },
  );

  it('--kubernetes puts objects without a namespace into the one that is named', async () => {
    const args = ['validate', '--kubernetes', '--namespace', 'shop', 'test/cli/objects/cluster', '--output', 'json'];
    const ran = await postern(args, { POSTERN_CLASS: 'postern' });
    const said: unknown = JSON.parse(ran.stdout);
    expect(said).toMatchObject({ ok: true, problems: [] });
    expect(said).toMatchObject({
      notChecked: expect.arrayContaining([
        {
          file: 'test/cli/objects/cluster/shop.yaml',
          line: 7,
          object: 'Service shop/orders',
          field: 'spec.backendRef',
          reason: 'BackendNotFound',
          message: 'core Service shop/orders is not among these files',
        },
      ]),
    });
  });

  it('--kubernetes checks for the class of the installation', async () => {
    const ran = await postern(['validate', '--kubernetes', '--class', 'blue', 'test/cli/objects/cluster']);
    expect(ran).toMatchObject({ code: 0, stdout: '1 object, 0 problems, 0 warnings\n' });
  });

  it('says where --kubernetes is missing', async () => {
    const flag = await postern(['validate', 'test/cli/objects/cluster', '--host-owner', 'a.example=shop']);
    expect(flag.code).toBe(2);
    expect(flag.stderr).toContain('--host-owner: this does nothing without --kubernetes');
    const variable = await postern(['validate', 'test/cli/objects/whole', ...HTTPS], {
      POSTERN_HOST_OWNER: 'a.example=shop',
    });
    expect(variable.code).toBe(0);
    const asked = await postern(['validate', 'test/cli/objects/cluster']);
    expect(asked.code).toBe(1);
    expect(asked.stdout).toContain('Manifests for a cluster are checked with postern validate --kubernetes.');
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
