// In a page: what the test looks at is the title.
import "./memory.mjs";

document.title = "recorded";
