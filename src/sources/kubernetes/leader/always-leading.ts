import type { Elector } from './elector.ts';

/** For an installation of one replica (`--leader-election off`, F22). */
export function alwaysLeading(onChange: (leading: boolean) => void): Elector {
  let leads = false;
  const turn = (to: boolean): void => {
    if (leads === to) return;
    leads = to;
    onChange(to);
  };
  return {
    start: () => turn(true),
    leading: () => leads,
    async stop() {
      turn(false);
    },
  };
}
