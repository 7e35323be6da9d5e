/**
 * What can go wrong. A message says what was given, what is needed and what to do. An abort is none of these: it
 * rejects with the signal's own reason.
 */
export class EsrganError extends Error {
  override name = "EsrganError";
}
/** An option or a source that cannot be. */
export class OptionError extends EsrganError {
  override name = "OptionError";
}
/** model.json is not one of `esrgan convert`. */
export class ModelError extends EsrganError {
  override name = "ModelError";
}
/** A file could not be fetched or read. */
export class DownloadError extends EsrganError {
  override name = "DownloadError";
}
/** A file's sha256 is not the one that model.json names. */
export class IntegrityError extends EsrganError {
  override name = "IntegrityError";
}
/** The backend that was asked for does not start, or computes wrongly. */
export class BackendError extends EsrganError {
  override name = "BackendError";
}
/** No allowed tile fits. */
export class OutOfMemoryError extends EsrganError {
  override name = "OutOfMemoryError";
}
/** The network gave NaN or infinity. */
export class NonFiniteError extends EsrganError {
  override name = "NonFiniteError";
}

/** An error as a worker can send it. */
export interface PlainError {
  name: string;
  message: string;
  stack?: string | undefined;
}

const KINDS = [
  EsrganError,
  OptionError,
  ModelError,
  DownloadError,
  IntegrityError,
  BackendError,
  OutOfMemoryError,
  NonFiniteError,
];

export function toPlain(error: unknown): PlainError {
  if (error instanceof Error || error instanceof DOMException) {
    return { name: error.name, message: error.message, stack: error.stack };
  }
  return { name: "Error", message: messageOf(error) };
}

export function fromPlain(plain: PlainError): Error {
  const Kind = KINDS.find((kind) => kind.name === plain.name || new kind().name === plain.name);
  const error = Kind ? new Kind(plain.message) : new Error(plain.message);
  if (!Kind) error.name = plain.name;
  if (plain.stack) error.stack = plain.stack;
  return error;
}

/** The text of whatever was thrown; TF.js throws plain objects at times. */
export function messageOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
  return String(error);
}
