/** The worker that `Upscaler.load` starts by itself. */
import "./all.js";
import { serve } from "./serve.js";

serve();
