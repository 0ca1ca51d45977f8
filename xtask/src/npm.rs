//! `cargo xtask npm`: the TypeScript package into `npm/dist`, and the page into `npm/viewer/dist`, into
//! the package, and to where the command takes it from.

use std::fs;

use anyhow::Result;

use crate::files::{copy_files, fresh_folder, root};
use crate::process::{command, run};
use crate::wasm;

/// Builds the package; what was in `npm/dist` goes.
pub(crate) fn build() -> Result<()> {
    wasm::build()?;
    let npm = root().join("npm");
    fresh_folder(&npm.join("dist"))?;
    run(command(npm.join("node_modules/.bin/tsc")).args(["--project", "npm"]))?;
    // The compiler reads the glue and its types, and leaves them where they are.
    copy_files(&npm.join("src/wasm"), &npm.join("dist/wasm"))?;
    run(command(npm.join("node_modules/.bin/tsc")).args(["--project", "npm/viewer"]))?;
    run(command("node").arg("npm/scripts/build-viewer.mjs"))?;
    // The tarball takes it from beside package.json.
    fs::copy(root().join("LICENSE"), npm.join("LICENSE"))?;
    println!("npm: built npm/dist and npm/viewer/dist/index.html");
    Ok(())
}
