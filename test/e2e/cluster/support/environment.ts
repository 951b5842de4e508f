/** What was prepared for the scenario: images that the cluster's nodes hold already. */
export interface Prepared {
  readonly image: Image;
  /** The same, under another tag. */
  readonly nextImage: Image;
  readonly peersImage: string;
}

export interface Image {
  readonly repository: string;
  readonly tag: string;
}

export function prepared(environment: NodeJS.ProcessEnv = process.env): Prepared {
  const value = (name: string): string => {
    const text = environment[name];
    if (text === undefined || text === '')
      throw new Error(`${name} is missing: write the name of an image, with its tag`);
    return text;
  };
  return {
    image: image(value('E2E_IMAGE')),
    nextImage: image(value('E2E_NEXT_IMAGE')),
    peersImage: value('E2E_PEERS_IMAGE'),
  };
}

function image(name: string): Image {
  const parts = /^(.+):([^:/]+)$/.exec(name);
  if (parts === null) throw new Error(`${name}: an image has to be named with its tag`);
  return { repository: parts[1] ?? '', tag: parts[2] ?? '' };
}
