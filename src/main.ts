#!/usr/bin/env node
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { tellPublication } from './cli/change-log.ts';
import { helpText } from './cli/help.ts';
import { openKeys } from './cli/keys-file.ts';
import { endOnBug, endRequested, outliveReaders } from './cli/lifecycle.ts';
import { addressText, listening, StartFailure } from './cli/listen.ts';
import { openSource } from './cli/open-source.ts';
import { filesPipeline } from './cli/pipeline.ts';
import { validate } from './cli/validate.ts';
import { VERSION } from './cli/version.ts';
import { createControl } from './control/control.ts';
import { explainRequest } from './control/explain.ts';
import { describeControl } from './control/view.ts';
import { startAdmin } from './observe/admin.ts';
import { startDebug } from './observe/debug.ts';
import { standardOutput } from './observe/log/stdout.ts';
import { createLog, type Log } from './observe/log.ts';
import { createMetrics } from './observe/metrics.ts';
import { observeRequests } from './observe/requests.ts';
import { PLUGIN_KINDS } from './plugins/kinds.ts';
import { createProxyListener } from './proxy/listener.ts';
import { createSocketForwarder } from './proxy/upstream/socket-forwarder.ts';
import { NO_PROXY } from './resources/egress-proxy.ts';
import { identityHeaders } from './resources/identity-headers.ts';
import { readSettings, type ServeSettings, type Settings } from './settings.ts';

/** The command line: gives the exit code (docs: 0 done, 1 problems, 2 wrong usage). */
async function main(args: readonly string[]): Promise<number> {
  outliveReaders();
  const read = readSettings(args, isatty(1));
  if (read.ok) return await run(read.settings);
  const help = `postern ${read.command === undefined ? '' : `${read.command} `}--help`;
  process.stderr.write(`${read.problems.map((problem) => `postern: ${problem}\n`).join('')}See ${help}.\n`);
  return 2;
}

async function run(settings: Settings): Promise<number> {
  switch (settings.command) {
    case 'help':
      process.stdout.write(helpText(settings.of));
      return 0;
    case 'version':
      process.stdout.write(`postern ${VERSION} (Node.js ${process.version})\n`);
      return 0;
    case 'validate': {
      const { text, ok } = await validate(settings, PLUGIN_KINDS);
      process.stdout.write(text);
      return ok ? 0 : 1;
    }
    case 'serve':
      return await serve(settings);
  }
}

/** Serves until a signal asks to end. */
async function serve(settings: ServeSettings): Promise<number> {
  const output = standardOutput();
  const log = createLog({ format: settings.logFormat, level: settings.logLevel, colour: settings.colour, output });
  const leave = (): never => {
    output.flush();
    process.exit(1);
  };
  endOnBug(log.part('main'), () => output.flush());
  const ended = endRequested(leave);
  try {
    // A first table that doesn't come about holds up nobody who wants to end the process.
    const running = await Promise.race([start(settings, log), ended]);
    log.part('main').info({ signal: await ended }, 'ending: requests under way may finish');
    if (typeof running === 'object') await running.stop();
    log.part('main').info({}, 'ended');
    await output.drained();
    // Whatever a library may have left running holds nobody up.
    process.exit(0);
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error;
    output.flush();
    process.stderr.write(`postern: ${error.message}\n`);
    process.exit(1);
  }
}

/** Builds every part by hand and starts them in order; each is told all that it needs. */
async function start(settings: ServeSettings, log: Log): Promise<{ stop(): Promise<void> }> {
  const now = (): number => Date.now();
  const ticks = (): number => performance.now();
  const state = { serving: false, ending: false };

  const { origin } = settings;
  if (origin.kind === 'Kubernetes') throw new StartFailure('--kubernetes: this build serves files only');
  const pipeline = filesPipeline(PLUGIN_KINDS, settings);
  const keys = await openKeys(origin.keysFile, now, log.part('keys'));
  const metrics = createMetrics({ version: VERSION, now });
  const control = createControl({
    source: await openSource(origin.directory, pipeline.check, log.part('files')),
    parse: pipeline.parse,
    compile: pipeline.compile,
    kinds: PLUGIN_KINDS,
    world: ({ key }) => ({
      now,
      random: randomBytes,
      keys: keys.ring,
      observe: (event) => metrics.observe(key, event),
      log: log.plugin(key),
      network: { addresses: { kind: 'Any' }, isOwn: () => false, proxies: NO_PROXY },
    }),
    timers: { after },
    nextTurn: (run) => setImmediate(run),
    now: ticks,
    log: log.part('control'),
    metrics: metrics.control,
    onPublished: (publication) => tellPublication(publication, log.part('control')),
  });
  metrics.follow(() => control.instances());

  const ready = [
    { name: 'table', failure: () => (control.current() === undefined ? 'no table is published yet' : undefined) },
    { name: 'listener', failure: () => (state.serving ? undefined : 'it is not open yet') },
    { name: 'shutdown', failure: () => (state.ending ? 'this process is ending' : undefined) },
  ];
  const admin = await listening('admin', settings.admin, () =>
    startAdmin({ endpoint: settings.admin, metrics, ready, log: log.part('admin') }),
  );
  const { debug: debugEndpoint } = settings;
  const debug =
    debugEndpoint === undefined
      ? undefined
      : await listening('debug', debugEndpoint, () =>
          startDebug({
            endpoint: debugEndpoint,
            snapshot: () => describeControl(control),
            explain: (question) => explainRequest(control, question),
            log: log.part('debug'),
          }),
        );

  await control.start();
  const ownPorts = new Set([
    settings.listen.port,
    settings.admin.port,
    ...(debugEndpoint === undefined ? [] : [debugEndpoint.port]),
  ]);
  const forwarder = createSocketForwarder(ownPorts);
  const proxy = createProxyListener({
    acquire: control.acquire,
    forwarder,
    observer: observeRequests(metrics.requests, log, log.part('main')),
    external: settings.external,
    identityHeaders: identityHeaders(settings.identityHeaders),
    log: log.part('proxy'),
    now: ticks,
  });
  await listening('listen', settings.listen, () => proxy.listen(settings.listen));
  state.serving = true;
  log.part('main').info(
    {
      listen: addressText(settings.listen),
      admin: addressText(settings.admin),
      debug: debugEndpoint === undefined ? 'off' : addressText(debugEndpoint),
      files: origin.directory,
    },
    `postern ${VERSION} serves`,
  );

  return {
    async stop() {
      state.ending = true;
      proxy.drain();
      await sleep(settings.grace);
      await proxy.close(settings.drain);
      await control.stop();
      forwarder.close();
      keys.close();
      await debug?.close();
      await admin.close();
    },
  };
}

function after(ms: number, work: () => void): () => void {
  const timer = setTimeout(work, ms);
  return () => clearTimeout(timer);
}

process.exitCode = await main(process.argv.slice(2));
