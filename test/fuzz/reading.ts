/** What a reader makes of the bytes of one response. */
export interface Reading {
  readonly informational: number;
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** Latin1. */
  readonly body: string;
  readonly complete: boolean;
  /** Whether the connection may carry another one. */
  readonly keepsAlive: boolean;
  /** Undefined: nothing is wrong so far. */
  readonly fault: string | undefined;
}

export const NOTHING: Reading = {
  informational: 0,
  status: 0,
  headers: [],
  body: '',
  complete: false,
  keepsAlive: false,
  fault: undefined,
};
