import { type Browser, chromium as driver } from 'playwright-core';
import { chromium } from './parts.ts';

/** Debian's Chromium, headless, with a closed network in mind. `resolve`: names to be found at 127.0.0.1. */
export const launchBrowser = (resolve: readonly string[] = []): Promise<Browser> =>
  driver.launch({
    executablePath: chromium.path,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...(resolve.length > 0
        ? [`--host-resolver-rules=${resolve.map((name) => `MAP ${name} 127.0.0.1`).join(',')}`]
        : []),
    ],
  });
