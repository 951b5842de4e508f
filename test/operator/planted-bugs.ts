import { registerHooks } from 'node:module';

/**
 * Bugs for a whole process: with `PRELOAD` before its first module, parts of the source throw where a name or a path says so.
 * Nothing else in the process is another, so what contains them is what is shipped.
 */
const BUGS: Readonly<Record<string, string>> = {
  // F14: at the end of compiling, or on its way.
  'src/cli/pipeline.ts': `
    export const clusterPipeline = (...args) => {
      const pipeline = original.clusterPipeline(...args);
      return {
        ...pipeline,
        *compile(objects) {
          const names = JSON.stringify([...objects.all.values()]);
          const steps = pipeline.compile(objects);
          for (;;) {
            const step = steps.next();
            if (names.includes(step.done ? 'throws-late' : 'throws-halfway')) throw new Error('planted: compile');
            if (step.done) return step.value;
            yield step.value;
          }
        },
      };
    };`,
  // F55: an object of a watch is taken in.
  'src/sources/kubernetes/trim.ts': `
    export const trimObject = (object, ...rest) => {
      if (String(object.metadata?.name).startsWith('throws-intake')) throw new Error('planted: intake');
      return original.trimObject(object, ...rest);
    };`,
  'src/routing/match.ts': `
    export const match = (table, target, header) => {
      if (target.path.startsWith('/throws-match')) throw new Error('planted: match ' + target.path);
      return original.match(table, target, header);
    };`,
  // The formatter of an error, and what writes the line of a request.
  'src/observe/log/error-fields.ts': `
    export const errorFields = (error, ...rest) => {
      if (String(error?.message).includes('unprintable')) throw new Error('planted: formatter');
      return original.errorFields(error, ...rest);
    };`,
  'src/observe/log.ts': `
    export const createLog = (options) => {
      const log = original.createLog(options);
      return {
        ...log,
        request(record) {
          if (record.path.startsWith('/open/throws-log')) throw new Error('planted: log');
          log.request(record);
        },
      };
    };`,
  'src/observe/metrics/traffic.ts': `
    export const trafficMetrics = (registry) => {
      const metrics = original.trafficMetrics(registry);
      return {
        ...metrics,
        observer: {
          ...metrics.observer,
          finished(record) {
            if (record.path.startsWith('/open/throws-metric')) throw new Error('planted: metric');
            metrics.observer.finished(record);
          },
        },
      };
    };`,
  // What reads the claims of a proven identity.
  'src/authorization/authorize.ts': `
    export const authorize = (policy, identity, request) => {
      if (identity.username === 'thrower') throw new Error('planted: claims');
      return original.authorize(policy, identity, request);
    };`,
};

/** For NODE_OPTIONS. */
export const PRELOAD = `--import=${import.meta.url}?register`;

const ORIGINAL = '?original';
const PLANTED = '?planted';
const root = new URL('../../', import.meta.url).href;

if (import.meta.url.endsWith('?register'))
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const isPlanted = found.url.startsWith(root) && found.url.slice(root.length) in BUGS;
      return isPlanted ? { ...found, url: found.url + PLANTED } : found;
    },
    load(url, context, next) {
      if (!url.startsWith(root) || !url.endsWith(PLANTED)) return next(url, context);
      const plain = url.slice(0, -PLANTED.length);
      const from = JSON.stringify(plain + ORIGINAL);
      const source = `import * as original from ${from}; export * from ${from}; ${BUGS[plain.slice(root.length)] ?? ''}`;
      return { format: 'module', source, shortCircuit: true };
    },
  });
