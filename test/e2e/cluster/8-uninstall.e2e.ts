import { describe, expect, it } from 'vitest';
import { kubectl, tryKubectl } from './support/kubernetes.ts';
import { helm } from './support/postern.ts';
import { NAMESPACES } from './support/site.ts';

describe('6. helm uninstall', () => {
  it('leaves the CRDs, the objects and the keys, and nothing else', async () => {
    const { shop, system } = NAMESPACES;
    const objects = await kubectl('get', 'psvc,proute,oidc', '-n', shop, '-o', 'name');
    expect(objects).toContain('route.postern.dev/orders');
    await helm('uninstall', 'postern', '--wait');
    expect(await kubectl('get', 'psvc,proute,oidc', '-n', shop, '-o', 'name')).toBe(objects);
    expect((await tryKubectl('get', 'secret', 'postern-keys', '-n', system)).code).toBe(0);
    const kinds =
      'deployments,services,serviceaccounts,roles,rolebindings,poddisruptionbudgets,clusterroles,clusterrolebindings';
    const left = await kubectl('get', kinds, '-A', '-l', 'app.kubernetes.io/part-of=postern', '-o', 'name');
    expect(left).toBe('');
  });
});
