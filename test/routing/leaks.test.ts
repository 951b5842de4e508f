import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { CompiledHash } from '../../src/control/compiled-hash.ts';
import { createParseMemo } from '../../src/control/parse-memo.ts';
import { CompileMemory, compileSteps } from '../../src/routing/compile.ts';
import { finish } from '../../src/routing/steps.ts';
import { handSource } from '../support/hand-source.ts';
import { clusterOptions, clusterSecret, coreService, grant, hostOwners, onDay } from './cluster.ts';
import { gate, gateRef, object, parseOne, type Raw, route, service } from './support.ts';

/** Objects of two namespaces and a host that nobody else has; some are broken, refused or lead nowhere. */
function passing(n: number): readonly Raw[] {
  const [here, there] = [`here${n}`, `there${n}`];
  const tls = { tls: { secretRef: { name: 'c' } } };
  const open = { serviceRef: { name: 's' }, access: 'Public' };
  return [
    service(`${here}/s`, `http://one${n}`, [{ ...gateRef('p'), namespace: there }]),
    object('Service', `${here}/t`, { backendRef: { name: 'core', port: 80 } }),
    coreService(`${here}/core`, { ports: [{ port: 80 }] }),
    clusterSecret(`${here}/c`, { 'tls.crt': 'broken', 'tls.key': 'key' }, { type: 'kubernetes.io/tls' }),
    clusterSecret(`${there}/k`, { v: 'hidden' }, { labelled: true }),
    gate(`${there}/p`, { secretRef: { name: 'k', key: 'v' }, callback: '/cb' }),
    gate(`${there}/q`, { secretRef: { name: 'none', key: 'v' } }),
    grant(there, `Service ${here}`, 'GatePlugin p'),
    route(`${here}/r`, [`a${n}.x`, `b${n}.x`], ['/'], {
      serviceRef: { name: 's' },
      plugins: [gateRef('none')],
      ...tls,
    }),
    route(`${here}/u`, [`a${n}.x`], ['/cb', `/u${n}`], { ...open, ...tls }),
    route(`${here}/v`, [`b${n}.x`], [`/v${n}`], { serviceRef: { name: `none${n}` }, plugins: [gateRef(`none${n}`)] }),
    onDay(9, route(`${there}/late`, [`a${n}.x`, `*.c${n}.y`], ['/'], open)),
    route(`${there}/broken`, ['no host', `d${n}.x`], ['/'], open),
    object('GatePlugin', `${there}/broken`, { nope: n }),
  ];
}

/** Bytes in use, after everything that nobody holds was collected. */
function heap(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  for (let i = 0; i < 3; i++) if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}

it('A163 names that come and go leave nothing behind', () => {
  const { source, put: putObject, remove } = handSource();
  const parse = createParseMemo((value) => parseOne(value, true));
  const [memory, hash] = [new CompileMemory(), new CompiledHash()];
  const options = clusterOptions({ hostOwners: hostOwners('held.z=n') });
  let files = 0;
  const put = (prefix: string, raw: Raw, present: boolean): void => {
    const id = `${prefix} ${raw.kind} ${raw.metadata.namespace}/${raw.metadata.name}`;
    // No two objects have one origin.
    if (present) putObject(id, raw, { file: `${++files}.yaml`, line: () => 1 });
    else remove(id);
  };
  const run = (): number => {
    const compiled = finish(compileSteps(finish(parse(source)).objects, options, memory));
    finish(hash.update(compiled));
    return compiled.verdicts.size;
  };
  const comeAndGo = (from: number, count: number): void => {
    for (let n = from; n < from + count; n++) {
      const all = passing(n);
      for (const raw of all) put('', raw, true);
      if (n % 2 === 0) for (const raw of all) put('twice', raw, n % 4 === 0);
      run();
      // Half of them break before they go, and what is referred to goes first, or last.
      for (const raw of n % 3 === 0 ? all.slice(0, 6) : all.slice(6)) put('', raw, false);
      run();
      for (const raw of all) for (const prefix of ['', 'twice']) put(prefix, raw, false);
      expect(run()).toBe(0);
    }
  };
  comeAndGo(0, 1024);
  const before = heap();
  comeAndGo(10_000, ROUNDS);
  // A key of a Map and its text are more than 64 bytes.
  expect((heap() - before) / ROUNDS).toBeLessThan(64);
}, 300_000);

/** Twice as many hosts, which is four times what parsed authorities fill: those are as many afterwards. */
const ROUNDS = 2048;
