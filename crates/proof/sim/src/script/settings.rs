//! How a world is made, read and written the same way, so that a world in which something broke can be made again.

use crate::chance::Chance;
use crate::entry::Entry;
use crate::fault::{Aim, At};
use crate::world::{Knobs, World};

use super::command::{Command, InVain, Knob, Managers, Setting, Settings};
use super::words::{self, Fault, Word, Words};

/// Reads settings such as `seed=17`, `savepoint=800ms`, `latency=1ms-3ms` and `disk-skew=-2s`, after the word `world`.
pub(super) fn parse(words: &mut Words<'_>) -> Result<Command, Fault> {
    let mut settings = Settings::default();
    while let Some(word) = words.next() {
        let Some((name, value)) = word.text.split_once('=') else {
            return Err(word.fault(format!("`{}` sets nothing; expected `NAME=VALUE`", word.text)));
        };
        let place = |text| Word { column: word.column, text };
        match name {
            "seed" => settings.seed = Some(words::number(place(value))?),
            "managers" => settings.managers = Some(words::one_of(place(value), &Managers::ALL)?),
            "in-vain" => settings.in_vain = Some(words::one_of(place(value), &InVain::ALL)?),
            _ => settings.knobs.push(setting(words::one_of(place(name), &Knob::ALL)?, place(value))?),
        }
    }
    Ok(Command::World(settings))
}

fn setting(knob: Knob, value: Word<'_>) -> Result<Setting, Fault> {
    let place = |text| Word { column: value.column, text };
    // A clock may be behind; everything else takes some time.
    if let Some(behind) = value.text.strip_prefix('-').filter(|_| knob == Knob::DiskSkew) {
        let ms = -words::span(place(behind))?;
        return Ok(Setting { knob, low: ms, high: ms });
    }
    let (low, high) = value.text.split_once('-').unwrap_or((value.text, value.text));
    Ok(Setting { knob, low: words::span(place(low))?, high: words::span(place(high))? })
}

/// The command that makes a world as one was made that had this seed, and these knobs if they were not as usual. It
/// belongs before every other command.
pub fn given(seed: u64, knobs: Option<&Knobs>) -> String {
    let Some(knobs) = knobs else { return format!("world seed={seed}") };
    let Knobs {
        latency_ms: (least, most),
        start_ms,
        savepoint_ms,
        checkpoint_ms,
        cancel_ms,
        end_ms,
        disk_skew_ms,
        statistics_behind_ms,
        tracks_managers,
    } = knobs;
    let managers = if *tracks_managers { "tracked" } else { "untracked" };
    format!(
        "world seed={seed} latency={least}ms-{most}ms start={start_ms}ms savepoint={savepoint_ms}ms \
         checkpoint={checkpoint_ms}ms cancel={cancel_ms}ms end={end_ms}ms disk-skew={disk_skew_ms}ms \
         statistics-behind={statistics_behind_ms}ms managers={managers}"
    )
}

/// Sets what is no knob; those are set by whoever acts on the world.
pub(super) fn set(world: &mut World, settings: &Settings) {
    if let Some(seed) = settings.seed {
        world.chance = Chance::new(seed);
        // The first number goes where it goes when a run begins.
        fastrand::seed(world.chance.draw());
    }
    if let Some(managers) = settings.managers {
        world.knobs.tracks_managers = managers == Managers::Tracked;
    }
    if let Some(in_vain) = settings.in_vain {
        world.cursor.in_vain = in_vain;
    }
    settings.aims.iter().for_each(|aim| self::aim(world, aim));
}

/// Aims a fault; one whose time is not to come comes at once.
fn aim(world: &mut World, aim: &Aim) {
    match aim.at {
        At::Time(at_ms) if at_ms <= world.now_ms => {
            world.tell(Entry::Fault { n: 0, fault: aim.fault.clone() });
            world.strike(&aim.fault);
        }
        _ => world.aims.push(aim.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, Fault> {
        match parse(&mut Words::of(text, 1))? {
            Command::World(settings) => Ok(settings),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_setting_is_read() {
        let settings = read("seed=7 managers=tracked in-vain=goes-on latency=1ms-30ms disk-skew=-2s end=1s").unwrap();
        let knob = |knob, low, high| Setting { knob, low, high };
        let expected = Settings {
            seed: Some(7),
            managers: Some(Managers::Tracked),
            in_vain: Some(InVain::GoesOn),
            aims: Vec::new(),
            knobs: vec![
                knob(Knob::Latency, 1, 30),
                knob(Knob::DiskSkew, -2_000, -2_000),
                knob(Knob::End, 1_000, 1_000),
            ],
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn what_sets_nothing_is_refused() {
        for text in ["seed", "seed=-1", "size=1s", "end=-1s", "latency=-1ms-3ms", "managers=some", "in-vain=waits"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_of_a_world_is_read_again() {
        let knobs = Knobs { disk_skew_ms: -1_500, tracks_managers: true, latency_ms: (0, 13), ..Knobs::default() };
        let settings = read(given(7, Some(&knobs)).strip_prefix("world ").unwrap()).unwrap();
        assert_eq!((settings.seed, settings.managers), (Some(7), Some(Managers::Tracked)));
        assert_eq!(settings.iter().count(), Knob::ALL.len(), "none is left out");
        let of = |wanted| settings.iter().find(|setting| setting.knob == wanted).map(|found| (found.low, found.high));
        assert_eq!([of(Knob::Latency), of(Knob::DiskSkew)], [Some((0, 13)), Some((-1_500, -1_500))]);
        assert_eq!(given(7, None), "world seed=7");
    }
}
