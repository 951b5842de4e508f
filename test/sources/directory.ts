import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A real directory of a test's own, written as editors and deployers write. */
export class Directory {
  readonly path = mkdtempSync(join(tmpdir(), 'postern-files-'));

  at(name: string): string {
    return join(this.path, name);
  }

  write(name: string, text: string | Uint8Array): void {
    mkdirSync(dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), text);
  }

  /** As vim, VS Code on some systems, and every careful program. */
  replace(name: string, text: string): void {
    writeFileSync(this.at(`.${name}.tmp`), text);
    renameSync(this.at(`.${name}.tmp`), this.at(name));
  }

  delete(name: string): void {
    unlinkSync(this.at(name));
  }

  link(name: string, target: string): void {
    symlinkSync(target, this.at(name));
  }

  /** As the kubelet changes what is mounted: a new link, renamed over the old one. */
  swap(link: string, target: string): void {
    this.link(`${link}_tmp`, target);
    renameSync(this.at(`${link}_tmp`), this.at(link));
  }

  forbid(name: string): void {
    chmodSync(this.path, 0o755);
    chmodSync(this.at(name), 0o000);
  }

  allow(name: string): void {
    chmodSync(this.at(name), 0o644);
  }

  rename(to: string): void {
    renameSync(this.path, to);
  }

  make(): void {
    mkdirSync(this.path, { recursive: true });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A Route as text, one document. */
export const route = (name: string, path = `/${name}`): string => `apiVersion: postern.dev/v1alpha1
kind: Route
metadata:
  name: ${name}
  namespace: shop
spec:
  hosts: [shop.example.com]
  paths:
    - type: Prefix
      value: ${path}
`;
