/**
 * Base class of this library's errors. Each message says what was given, what is needed and what to do. An aborted
 * call throws none of them: it rejects with the signal's own `reason`.
 */
export class EsrganError extends Error {
  override name = "EsrganError";
}
/** An option, a picture or a model is not of the kind that is needed. */
export class OptionError extends EsrganError {
  override name = "OptionError";
}
/** model.json was not written by `esrgan convert`, or by another release of it. */
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
/** No backend that is allowed starts and computes correctly. */
export class BackendError extends EsrganError {
  override name = "BackendError";
}
/** The picture does not fit in memory in any way that `tile` allows. */
export class OutOfMemoryError extends EsrganError {
  override name = "OutOfMemoryError";
}
/** The network's output contains NaN or infinity. */
export class NonFiniteError extends EsrganError {
  override name = "NonFiniteError";
}

/** An error in the form in which a worker can send it. */
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

/** What was given instead of something else, for a message. */
export function typeOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}

/** The text of whatever was thrown; TF.js sometimes throws plain objects. */
export function messageOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
  return String(error);
}
