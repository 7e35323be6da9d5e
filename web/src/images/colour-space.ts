/** The colours that numbers of a picture mean. In a file of its own, since the types of Node know no canvases. */
export type ColourSpace = "srgb" | "display-p3";
