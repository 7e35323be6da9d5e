/** Pictures in memory, and how they become a network's input. */
import type { ClampedBytes, Floats } from "../models/bytes.js";
import { OptionError } from "../errors.js";

/** RGBA with 8 bits per channel, row by row, colours not multiplied by alpha: the same as an `ImageData`. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: ClampedBytes;
}

/** A picture that is given: RGBA, in bytes or in floats from 0 to 1, as an `ImageData` may hold them. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number> & ArrayBufferView;
}

const WHITE = 255;

/**
 * A copy.
 *
 * @throws OptionError another type, or sizes and data that do not go together
 */
export function pictureOf({ width, height, data }: Pixels): Picture {
  // by its name: another window's array is of another class
  const type = Object.prototype.toString.call(data).slice(8, -1);
  let bytes: ClampedBytes;
  if (type === "Uint8ClampedArray" || type === "Uint8Array") bytes = Uint8ClampedArray.from(data);
  else if (/^Float(16|32|64)Array$/.test(type))
    bytes = Uint8ClampedArray.from(data, (value) => value * WHITE);
  else {
    throw new OptionError(
      "data must be RGBA in a Uint8ClampedArray or Uint8Array, or from 0 to 1 in a Float32Array or Float16Array, " +
        `not a ${type}`,
    );
  }
  const picture = { width, height, data: bytes };
  checkPicture(picture);
  return picture;
}

/** Channels of a picture that go through the network together: three colours, or one value. */
export interface Plane {
  readonly height: number;
  readonly width: number;
  /** 1 or 3. */
  readonly channels: number;
  readonly values: ClampedBytes;
}

/** @throws OptionError sizes and data do not go together */
export function checkPicture(picture: Picture): void {
  const { width, height, data } = picture;
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new OptionError(
      `width and height must be whole numbers of at least 1 pixel, not ${width} and ${height}`,
    );
  }
  if (data.length !== 4 * width * height) {
    throw new OptionError(
      `${width}x${height} pixels have ${4 * width * height} values in RGBA, but data has ${data.length}`,
    );
  }
}

/** Whether any pixel is not fully opaque. */
export function hasAlpha({ data }: Picture): boolean {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return true;
  return false;
}

/** Whether red, green and blue are equal everywhere. */
export function isGray({ data }: Picture): boolean {
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  }
  return true;
}

/** The channels from `first` on as a plane. */
export function planeOf({ width, height, data }: Picture, first: number, channels: number): Plane {
  const values = new Uint8ClampedArray(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < channels; c++) values[channels * pixel + c] = data[4 * pixel + first + c]!;
  }
  return { width, height, channels, values };
}

/** Whether a plane has one value (a channel) all over: there is no detail to restore, and networks would shift it. */
export function isFlat({ channels, values }: Plane): boolean {
  for (let i = channels; i < values.length; i++) if (values[i] !== values[i - channels]) return false;
  return true;
}

/** Pad at the right and the bottom to a multiple: by reflection, or by repetition where that is too short. */
export function padPlane(plane: Plane, multiple: number): Plane {
  const height = Math.ceil(plane.height / multiple) * multiple;
  const width = Math.ceil(plane.width / multiple) * multiple;
  if (height === plane.height && width === plane.width) return plane;
  const { channels } = plane;
  const values = new Uint8ClampedArray(height * width * channels);
  for (let y = 0; y < height; y++) {
    const row = mirrored(y, plane.height, height - plane.height);
    for (let x = 0; x < width; x++) {
      const from = (row * plane.width + mirrored(x, plane.width, width - plane.width)) * channels;
      for (let c = 0; c < channels; c++) values[(y * width + x) * channels + c] = plane.values[from + c]!;
    }
  }
  return { height, width, channels, values };
}

function mirrored(position: number, size: number, missing: number): number {
  if (position < size) return position;
  return missing < size ? 2 * (size - 1) - position : size - 1;
}

/** A window as the network's input: (1, height, width, channels) in 0-1; one value is repeated for colours. */
export function toInput(
  plane: Plane,
  top: number,
  left: number,
  height: number,
  width: number,
  channels: number,
): Floats {
  const result = new Float32Array(height * width * channels);
  const repeated = plane.channels === 1;
  let to = 0;
  for (let y = top; y < top + height; y++) {
    for (let x = left; x < left + width; x++) {
      const from = (y * plane.width + x) * plane.channels;
      for (let c = 0; c < channels; c++) result[to++] = plane.values[repeated ? from : from + c]! / 255;
    }
  }
  return result;
}

/** Luma of ITU-R BT.601, for the one value of a network's three colours; clamped before it is mixed. */
export function toGray(values: Float32Array): Floats {
  const result = new Float32Array(values.length / 3);
  const within = (value: number) => Math.min(Math.max(value, 0), 1);
  for (let pixel = 0; pixel < result.length; pixel++) {
    result[pixel] =
      0.299 * within(values[3 * pixel]!) +
      0.587 * within(values[3 * pixel + 1]!) +
      0.114 * within(values[3 * pixel + 2]!);
  }
  return result;
}
