import { useEffect } from "react";
import { Upscaler } from "tfjs-esrgan";
import { offer } from "../offer.js";

export default function Page() {
  useEffect(() => offer(Upscaler));
  return <p>pages router</p>;
}
