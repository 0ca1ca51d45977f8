//! Turns the linked `.wasm` into the `.wasm` that ships and its JavaScript glue.
//!
//! `xtask-bindgen IN.wasm OUT_FOLDER NAME` writes `NAME.js`, `NAME.d.ts` and `NAME_bg.wasm`.

use std::env;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let [input, out_folder, name] = args.as_slice() else {
        eprintln!("usage: xtask-bindgen IN.wasm OUT_FOLDER NAME");
        return ExitCode::from(2);
    };
    // The web target is the one glue that every host can load; the entries of the npm package
    // differ only in where they take the bytes from.
    let mut bindgen = Bindgen::new();
    bindgen.input_path(input).out_name(name).typescript(true).remove_producers_section(true);
    match bindgen.web(true).and_then(|web| web.generate(out_folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask-bindgen: {error:?}");
            ExitCode::FAILURE
        }
    }
}
