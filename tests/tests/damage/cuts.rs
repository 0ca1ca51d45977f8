//! Every file cut off at every length.

use crate::logs::Known;
use crate::{members, readers, samples, stores};

#[test]
fn every_cut_of_a_log_leaves_its_whole_batches() {
    for samples::Sample { name, log } in samples::logs() {
        let known = Known::new(log);
        let cuts = known.log.0.len();
        (0..cuts).for_each(|end| known.check_cut(end, &format!("{name}, cut at {end}")));
        println!("proof: {cuts} cuts");
    }
}

#[test]
fn every_cut_of_a_gzip_file_is_found() {
    for zipped in [samples::archive(), samples::plain_gzip(), samples::stored_gzip()] {
        let known = Known::new(zipped.log.clone());
        let cuts = zipped.file.len();
        for end in 0..cuts {
            let what = format!("{}, cut at {end}", zipped.name);
            members::check_cut(&zipped, &known, end, &what);
        }
        println!("proof: {cuts} cuts");
    }
}

#[test]
fn every_cut_of_a_bundle_is_found() {
    let file = samples::bundle();
    for end in 0..file.len() {
        let error = readers::bundle(&file[..end]).expect_err("it is cut");
        assert_eq!(error.code(), "bad_bundle", "cut at {end}: {error}");
    }
    println!("proof: {} cuts", file.len());
}

#[test]
fn every_cut_of_a_stores_objects_is_found_or_changes_nothing() {
    let cold = samples::cold();
    for (name, key) in [("manifest", &cold.manifest), ("segment", &cold.segment)] {
        println!("proof: {} cuts", stores::cut_cold(&cold, name, key));
    }
    println!("proof: {} cuts", stores::cut_retention());
}
