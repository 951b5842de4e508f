import { SECRET_LABEL } from '../../resources/metadata.ts';
import { own, type Plain } from '../../resources/plain.ts';
import type { Found } from './secret-lookup.ts';
import { trimMetadata } from './trim.ts';
import type { Item } from './watch-event.ts';

/** The two ways in which a Secret may be seen: its owner labelled it, or it is a certificate. */
export type Selection = 'Label' | 'Type';

export const SELECTORS: Readonly<
  Record<Selection, { readonly labelSelector?: string; readonly fieldSelector?: string }>
> = {
  Label: { labelSelector: `${SECRET_LABEL}=true` },
  Type: { fieldSelector: 'type=kubernetes.io/tls' },
};

/** A Secret as a selection showed it. */
export interface Held {
  readonly version: string;
  /** With its data; undefined while nothing refers to it. */
  readonly value: Plain | undefined;
}

/** What is known of one Secret. */
export interface SecretRecord {
  /** Who refers to it. */
  readonly owners: Set<string>;
  readonly selected: Map<Selection, Held>;
  /** Not selected, found when it was looked for; undefined: not looked for yet, `Absent`: there is none. */
  otherwise: { readonly kind: 'Absent' } | { readonly kind: 'Unselected'; readonly type: string } | undefined;
  /** Counts what the watches said of it. */
  epoch: number;
  /** Only a look-up says so yet, no watch. */
  provisional: boolean;
  looking: boolean;
  /** When it was looked for; undefined: never. */
  lookedAt: number | undefined;
}

export const newRecord = (): SecretRecord => ({
  owners: new Set(),
  selected: new Map(),
  otherwise: undefined,
  epoch: 0,
  provisional: false,
  looking: false,
  lookedAt: undefined,
});

export const hold = (item: Item, withData: boolean): Held => ({
  version: item.version,
  value: withData ? trimSecret(item.object) : undefined,
});

function trimSecret(object: Plain): Plain {
  const labelled = own(own(own(object, 'metadata'), 'labels'), SECRET_LABEL) === 'true';
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...trimMetadata(own(object, 'metadata')), ...(labelled ? { labels: { [SECRET_LABEL]: 'true' } } : {}) },
    type: own(object, 'type') ?? 'Opaque',
    data: own(object, 'data') ?? {},
  };
}

/** Whether all is known of it that can be. */
export function isSettled({ selected, otherwise }: SecretRecord): boolean {
  for (const { value } of selected.values()) if (value === undefined) return false;
  return selected.size > 0 || otherwise !== undefined;
}

/** Whether a watch shows it. */
export const isShown = ({ selected, provisional }: SecretRecord): boolean => selected.size > 0 && !provisional;

/** What a look-up found. */
export function takeFound(record: SecretRecord, found: Found): void {
  switch (found.kind) {
    case 'Selected':
      record.provisional = record.selected.size === 0;
      for (const [selection, item] of found.items) record.selected.set(selection, hold(item, true));
      return;
    case 'Unknown':
      record.otherwise ??= { kind: 'Absent' };
      return;
    case 'Absent':
    case 'Unselected':
      if (record.provisional) record.selected.clear();
      record.provisional = false;
      record.otherwise = found;
  }
}

/** As control is to see it; undefined where it doesn't. */
export function secretValue(name: string, record: SecretRecord): Plain | undefined {
  if (record.owners.size === 0) return undefined;
  const label = record.selected.get('Label');
  const type = record.selected.get('Type');
  const newest = newer(label, type)?.value;
  if (newest !== undefined) return label === undefined ? withoutLabel(newest) : newest;
  if (record.selected.size > 0 || record.otherwise?.kind !== 'Unselected') return undefined;
  const [namespace, ownName] = name.split('/');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name: ownName },
    type: record.otherwise.type,
    data: {},
  };
}

/** Of two looks at one Secret: versions grow, and are compared as numbers (KEP-5504). */
function newer(a: Held | undefined, b: Held | undefined): Held | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.version.length === b.version.length
    ? a.version >= b.version
      ? a
      : b
    : a.version.length > b.version.length
      ? a
      : b;
}

/** The watch of labelled ones doesn't show it (any more), so its owner took the label away: that counts at once. */
function withoutLabel(value: Plain): Plain {
  const metadata = own(value, 'metadata');
  return own(metadata, 'labels') === undefined ? value : { ...value, metadata: trimMetadata(metadata) };
}
