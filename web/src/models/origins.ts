/** From what the user named to where its files are read. */
import { SAVED, savedPlace } from "./indexeddb.js";
import { filesPlace, webPlace, type Place, type WebOptions } from "./places.js";
import type { Origin } from "../threads/protocol.js";

export function placeOf(origin: Origin, options: WebOptions): Place {
  if (typeof origin !== "string") return filesPlace(origin.name, origin.files, options);
  return SAVED.test(origin) ? savedPlace(origin) : webPlace(origin, options);
}
