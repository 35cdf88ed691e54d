//! Edits on real files.

use std::path::PathBuf;

use super::*;

struct World {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl World {
    fn new(text: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stsctl").join("config.toml");
        let world = Self { _dir: dir, path };
        if let Some(text) = text {
            create_private_dir(world.path.parent().unwrap()).unwrap();
            write(&world.path, text.as_bytes()).unwrap();
        }
        world
    }

    fn edit<T>(&self, change: impl FnOnce(&mut Editor) -> Result<T>) -> Result<T> {
        let mut editor = Editor::open(&self.path)?;
        let result = change(&mut editor)?;
        editor.save()?;
        Ok(result)
    }

    fn text(&self) -> String {
        fs_err::read_to_string(&self.path).unwrap()
    }
}

fn profile(name: &str) -> Profile {
    Profile {
        name: name.to_owned(),
        access_key_id: Some("LTAIexample".parse().unwrap()),
        access_key_secret: Some(SecretSource::Command {
            program: "pass".into(),
            arguments: vec!["show".to_owned(), "a \"b\"".to_owned()],
        }),
        region: Some("cn-hangzhou".to_owned()),
        ..Profile::default()
    }
}

const TEXT: &str = r#"# mine
default_profile = "dev" # the usual

# the key
[profile.base]
access_key_id = "LTAIbase"   # rotated in May
access_key_secret = { file = "key" }

[profile.dev]
source_profile = "base"
role_arn = "acs:ram::1:role/dev"
"#;

#[test]
fn a_first_profile_makes_the_file_and_its_directory() {
    let world = World::new(None);
    world.edit(|editor| editor.add(&profile("my"))).unwrap();
    assert_eq!(
        world.text(),
        "[profile.my]\naccess_key_id = \"LTAIexample\"\nregion = \"cn-hangzhou\"\n\
         access_key_secret = { command = [\"pass\", \"show\", 'a \"b\"'] }\n"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs_err::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&world.path), 0o600);
        assert_eq!(mode(world.path.parent().unwrap()), 0o700);
    }
}

#[test]
fn what_is_added_reads_back_as_it_was() {
    let world = World::new(Some(TEXT));
    let added = Profile {
        name: "x.y-中".to_owned(),
        source_profile: Some("base".to_owned()),
        role_arn: Some("acs:ram::1:role/x".parse().unwrap()),
        role_session_name: Some("alice".parse().unwrap()),
        duration: Some("2h".parse().unwrap()),
        external_id: Some("ext:1".parse().unwrap()),
        policy: Some(PolicySource::Inline("{\"Version\":\"1\"}".parse().unwrap())),
        source_identity: Some("alice@x".parse().unwrap()),
        region: Some("oss-cn-beijing".to_owned()),
        oss_endpoint: Some("https://oss.example.com".parse().unwrap()),
        ..Profile::default()
    };
    world.edit(|editor| editor.add(&added)).unwrap();
    let read = ConfigFile::load(&world.path)
        .unwrap()
        .profile(&added.name)
        .unwrap();
    assert_eq!(format!("{read:?}"), format!("{added:?}"));
    assert!(world.text().starts_with(TEXT), "{}", world.text());
}

#[test]
fn a_plain_secret_is_written_and_read_back() {
    let world = World::new(None);
    let mut plain = profile("p");
    plain.access_key_secret = Some(SecretSource::Plain("s3cret\"'\\".into()));
    world.edit(|editor| editor.add(&plain)).unwrap();
    let read = ConfigFile::load(&world.path).unwrap().profile("p").unwrap();
    let Some(SecretSource::Plain(secret)) = read.access_key_secret else {
        panic!("not plain");
    };
    assert_eq!(secret.expose_secret(), "s3cret\"'\\");
}

#[test]
fn edits_keep_comments() {
    let world = World::new(Some(TEXT));
    world.edit(|editor| editor.set_default("base")).unwrap();
    assert_eq!(world.text(), TEXT.replace("= \"dev\" #", "= \"base\" #"));
    assert!(!world.edit(|editor| editor.remove("dev")).unwrap());
    assert_eq!(
        world.text(),
        TEXT.replace("= \"dev\" #", "= \"base\" #")
            .split("\n[profile.dev]")
            .next()
            .unwrap()
    );
}

#[test]
fn removing_the_default_profile_leaves_no_default() {
    let world = World::new(Some(TEXT));
    assert!(world.edit(|editor| editor.remove("dev")).unwrap());
    assert_eq!(
        ConfigFile::load(&world.path).unwrap().default_profile(),
        None
    );
}

#[test]
fn a_source_of_others_stays() {
    let world = World::new(Some(TEXT));
    let error = world.edit(|editor| editor.remove("base")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "profile `base` is the source_profile of `dev`"
    );
    assert_eq!(world.text(), TEXT);
}

#[test]
fn names_are_checked() {
    let world = World::new(Some(TEXT));
    for name in ["", "-p", "a b", "a\nb", &"x".repeat(65)] {
        let error = world.edit(|editor| editor.add(&profile(name))).unwrap_err();
        assert!(matches!(error, Error::Value { .. }), "{error:?}");
    }
    let error = world
        .edit(|editor| editor.add(&profile("dev")))
        .unwrap_err();
    assert!(matches!(error, Error::ProfileExists { .. }), "{error:?}");
    let error = world.edit(|editor| editor.remove("dve")).unwrap_err();
    assert_eq!(error.hints()[0], "did you mean `dev`?");
    let error = world
        .edit(|editor| editor.set_default("ghost"))
        .unwrap_err();
    assert!(matches!(error, Error::UnknownProfile { .. }), "{error:?}");
}

#[test]
fn unusual_layouts_can_be_edited() {
    for text in [
        "profile = { base = { region = \"cn-hangzhou\" } }\n",
        "profile.base.region = \"cn-hangzhou\"\n",
        "[profile]\nbase.region = \"cn-hangzhou\"\n",
        "[profile]\n",
        "profile = {}\n",
    ] {
        let world = World::new(Some(text));
        world.edit(|editor| editor.add(&profile("new"))).unwrap();
        let config = ConfigFile::load(&world.path).unwrap();
        assert!(config.profile("new").is_ok(), "{}", world.text());
        assert_eq!(
            config.has_profile("base"),
            text.contains("base"),
            "{}",
            world.text()
        );
        world.edit(|editor| editor.remove("new")).unwrap();
        assert!(!ConfigFile::load(&world.path).unwrap().has_profile("new"));
    }
}

#[test]
fn a_change_by_somebody_else_is_not_overwritten() {
    let world = World::new(Some(TEXT));
    let mut editor = Editor::open(&world.path).unwrap();
    editor.add(&profile("new")).unwrap();
    write(&world.path, b"# theirs\n").unwrap();
    assert!(matches!(editor.save(), Err(Error::ChangedMeanwhile { .. })));
    assert_eq!(world.text(), "# theirs\n");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let world = World::new(Some(TEXT));
    let target = world.path.with_file_name("elsewhere.toml");
    fs_err::rename(&world.path, &target).unwrap();
    fs_err::os::unix::fs::symlink(&target, &world.path).unwrap();
    world.edit(|editor| editor.add(&profile("new"))).unwrap();
    assert!(fs_err::symlink_metadata(&world.path).unwrap().is_symlink());
    assert!(ConfigFile::load(&target).unwrap().has_profile("new"));
}

#[test]
fn a_broken_file_is_not_edited() {
    let world = World::new(Some("[profile.dev\nx = \"canary\""));
    let error = Editor::open(&world.path).unwrap_err();
    assert!(matches!(error, Error::Syntax { .. }) && !error.to_string().contains("canary"));
}
