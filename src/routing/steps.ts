/** Work that can be put down at each `yield` and taken up again; its result is what it returns. */
export type Steps<T> = Generator<void, T, void>;
