const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The PEM certificates in a text, whatever stands between them (RFC 7468 section 5.2). */
export const pemCertificates = (text: string): readonly string[] => text.match(CERTIFICATE) ?? [];

/** Authorities that one reference may name. */
export const MAX_AUTHORITIES = 64;
