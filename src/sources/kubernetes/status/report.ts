/** What is said of one object, as this folder needs it; a verdict of compiling is one. */
export interface ObjectReport {
  /** `Kind/namespace/name`. */
  readonly key: string;
  readonly observedGeneration: number | undefined;
  readonly conditions: readonly ReportedCondition[];
  readonly exposure: string | undefined;
  readonly authorization: string | undefined;
  /** `Listed` where a Route is for some addresses only. */
  readonly clients?: string | undefined;
  readonly redirectURIs: readonly string[];
  /** Hosts that a Route names and that its namespace has; undefined: what is stored stands. */
  readonly hosts?: readonly string[] | undefined;
  readonly routes: number | undefined;
  /** Where a Service leads, in one line. */
  readonly target?: string | undefined;
}

export interface ReportedCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** What a running plugin says of itself. */
export interface InstanceReport extends Omit<ReportedCondition, 'type'> {
  readonly checks?: readonly InstanceCheck[];
}

export interface InstanceCheck {
  readonly name: string;
  readonly result: string;
  readonly message: string;
}

/** Something else is to be said of an object; no `after`: it was deleted, or left the class. */
export interface ReportChange {
  readonly key: string;
  readonly before: ObjectReport | undefined;
  readonly after: ObjectReport | undefined;
}
