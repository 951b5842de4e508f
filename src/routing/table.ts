/** Placeholder until the index is here. */
export interface RouteTable {
  readonly hosts: ReadonlyMap<string, unknown>;
}
