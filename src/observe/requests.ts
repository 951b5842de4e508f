import type { PluginLog } from '../plugins/contract.ts';
import type { RequestObserver } from '../proxy/record.ts';
import type { Log } from './log.ts';

/** One observer of requests out of log and metrics. What fails in one is logged and neither reaches the other nor the request (F55). */
export function observeRequests(
  metrics: RequestObserver,
  log: Pick<Log, 'request'>,
  errors: PluginLog,
): RequestObserver {
  const contained = (observe: () => void): void => {
    try {
      observe();
    } catch (error) {
      errors.error({ err: error }, 'observing a request failed, which is a bug');
    }
  };
  return {
    started() {
      contained(() => {
        metrics.started();
      });
    },
    finished(record) {
      contained(() => {
        metrics.finished(record);
      });
      contained(() => {
        log.request(record);
      });
    },
    connection(change) {
      contained(() => {
        metrics.connection(change);
      });
    },
    tunnel() {
      contained(() => {
        metrics.tunnel?.();
      });
    },
    rejected(reason) {
      contained(() => {
        metrics.rejected(reason);
      });
    },
    limited(limit) {
      contained(() => {
        metrics.limited(limit);
      });
    },
    cut(cut) {
      contained(() => {
        metrics.cut?.(cut);
      });
    },
  };
}
