// All stylesheets of the shadow root, in their order.

import app from "./app.css";
import base from "./base.css";
import tokens from "./tokens.css";

export const SHEETS: readonly string[] = [tokens, base, app];
