// All stylesheets of the shadow root, in their order.

import content from "../content/content.css";
import list from "../list/list.css";
import app from "./app.css";
import base from "./base.css";
import panes from "./panes.css";
import screens from "./screens.css";
import tokens from "./tokens.css";

export const SHEETS: readonly string[] = [tokens, base, content, list, app, panes, screens];
