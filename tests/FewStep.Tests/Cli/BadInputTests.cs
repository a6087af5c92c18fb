namespace FewStep.Tests.Cli;

public sealed class BadInputTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Theory]
    [InlineData("There is no model at", "sample", "--model", "@nothing", "--steps", "4")]
    [InlineData("There is no model in", "sample", "--model", "@data", "--steps", "4")]
    [InlineData("number of steps is 0", "sample", "--model", "@model", "--steps", "0")]
    [InlineData("add e.g. --steps 4", "sample", "--model", "@model", "--schedule", "log-snr")]
    [InlineData("There is no schedule 'sine'", "sample", "--model", "@model", "--steps", "4", "--schedule", "sine")]
    [InlineData("Cannot read", "sample", "--model", "@model", "--schedule", "@missing.schedule.json")]
    [InlineData("rho", "sample", "--model", "@model", "--steps", "4", "--schedule", "karras:0")]
    [InlineData("There is no solver 'magic'", "sample", "--model", "@model", "--steps", "4", "--solver", "magic")]
    [InlineData("runs backwards", "sample", "--model", "@model", "--steps", "4", "--seeds", "9-3")]
    [InlineData("no seed or range", "sample", "--model", "@model", "--steps", "4", "--seeds", "0-")]
    [InlineData("labels are 0 to 3", "sample", "--model", "@model", "--steps", "4", "--label", "4")]
    [InlineData("bars, Rows, wide bars, wide rows", "sample", "--model", "@model", "--steps", "4", "--label", "dots")]
    [InlineData("batch size is 0", "sample", "--model", "@model", "--steps", "4", "--batch", "0")]
    [InlineData("neither float32 nor bfloat16", "sample", "--model", "@model", "--steps", "4", "--dtype", "int8")]
    [InlineData("--threads -1", "sample", "--model", "@model", "--steps", "4", "--threads", "-1")]
    [InlineData("four", "sample", "--model", "@model", "--steps", "four")]
    [InlineData("--nonsense", "sample", "--nonsense")]
    [InlineData("There is no schedule 'sine'", "evaluate", "--model", "@model", "--schedules", "karras,sine")]
    [InlineData("must be one or more numbers", "evaluate", "--model", "@model", "--steps", "4,0")]
    [InlineData("samples must be at least 2", "evaluate", "--model", "@model", "--samples", "1")]
    [InlineData("leave the seeds of evaluations", "evaluate", "--model", "@model", "--first-seed", "4294967290")]
    [InlineData("config.json is not valid", "evaluate", "--model", "@model", "--data", "@data", "--classifier", "@model")]
    [InlineData("There is no image set", "evaluate", "--model", "@model", "--classifier", "@classifier", "--data", "@nothing")]
    [InlineData("takes 1x28x28", "evaluate", "--model", "@model", "--data", "@data")]
    [InlineData("Two models are called", "evaluate", "--model", "@model", "--model", "a=@tuned", "--model", "a=@model")]
    [InlineData("7 is to be shown", "evaluate", "--model", "@model", "--data", "@data", "--classifier", "@classifier", "--schedules",
        "karras", "--shown-steps", "7")]
    [InlineData("needs a loss curve", "evaluate", "--model", "@model", "--reference", "@data", "--classifier", "@classifier")]
    [InlineData("--tuned-schedules: 'cosine'", "evaluate", "--model", "@model", "--schedules", "karras", "--tuned-schedules", "cosine")]
    [InlineData("There is no image set", "data", "subset", "--data", "@nothing", "--count", "3")]
    [InlineData("at least 1 image", "data", "subset", "--data", "@data", "--count", "0")]
    [InlineData("does not fit", "data", "subset", "--data", "@data", "--count", "61")]
    [InlineData("channels [12]", "train-classifier", "--data", "@data", "--channels", "12")]
    [InlineData("--channels '8,x'", "train-classifier", "--data", "@data", "--channels", "8,x")]
    [InlineData("--steps 'four' must be a whole number", "sample", "--model", "@model", "--steps", "four")]
    [InlineData("--precision 'x' must be a number", "schedule", "--model", "@model", "--precision", "x")]
    [InlineData("--model must not be empty", "sample", "--model", "", "--steps", "4")]
    [InlineData("--grid must not be empty", "sample", "--model", "@model", "--steps", "4", "--grid", "")]
    [InlineData("--data must not be empty", "schedule", "--model", "@model", "--data", "")]
    [InlineData("--curve must not be empty", "schedule", "--model", "@model", "--curve", "")]
    [InlineData("--reference must not be empty", "run", "--model", "@model", "--reference", " ")]
    [InlineData("--reference must not be empty", "evaluate", "--model", "@model", "--reference", "")]
    [InlineData("--model must not be empty", "evaluate", "--model", "")]
    [InlineData("--config must not be empty", "train", "--config", "", "--images", "10")]
    [InlineData("--count must not be empty", "data", "subset", "--data", "@data", "--count", "")]
    [InlineData("end its name in .png", "sample", "--model", "@model", "--steps", "1", "--seeds", "0", "--grid", "@grid.jpg")]
    [InlineData("checkpoints must be 0 or more, not -1", "train", "--config", "@model/config.json", "--data", "@data", "--images", "8",
        "--checkpoint-seconds", "-1")]
    [InlineData("--checkpoint-seconds 'NaN' must be a finite number", "train", "--config", "@model/config.json", "--data", "@data",
        "--images", "8", "--checkpoint-seconds", "NaN")]
    [InlineData("--checkpoint-seconds 'NaN' must be a finite number", "tune", "--model", "@model", "--schedule", "karras", "--steps", "1",
        "--checkpoint-seconds", "NaN")]
    [InlineData("--snapshots 'half'", "tune", "--model", "@model", "--schedule", "karras", "--steps", "1", "--snapshots", "half")]
    [InlineData("--snapshots '0'", "tune", "--model", "@model", "--schedule", "karras", "--steps", "1", "--snapshots", "0")]
    [InlineData(
        "learning rate must be above 0", "tune", "--model", "@model", "--schedule", "karras", "--steps", "1", "--learning-rate", "0")]
    [InlineData("There is no image set", "train-classifier", "--data", "@data", "--test", "@nothing")]
    [InlineData("either --config", "train", "--data", "@data", "--images", "10")]
    [InlineData("either --config", "train", "--config", "@model/config.json", "--model", "@model", "--data", "@data", "--images", "10")]
    [InlineData("none of edm, vp, ve", "train", "--config", "@model/config.json", "--data", "@data", "--images", "10", "--loss", "flow")]
    [InlineData("belong to --loss edm", "train", "--config", "@model/config.json", "--data", "@data", "--images", "10", "--loss", "vp",
        "--p-mean", "0")]
    [InlineData("--p-std", "train", "--config", "@model/config.json", "--data", "@data", "--images", "10", "--p-std", "-1")]
    [InlineData("epochs 0", "train-classifier", "--data", "@data", "--channels", "8", "--epochs", "0")]
    public async Task One_line_says_it_and_nothing_is_written(string fragment, params string[] arguments)
    {
        string folder = world.At(Guid.NewGuid().ToString("N"));
        await CommandLineRun.Refused(fragment, [.. arguments.Select(
            a => a.Replace("@", world.At("") + Path.DirectorySeparatorChar, StringComparison.Ordinal)), "--out", folder]);
        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("[80, 90, 0.002]", "must decrease")]
    [InlineData("[80, 1, 0]", "above 0")]
    [InlineData("[80]", "at least 2 sigmas")]
    [InlineData("[8000, 1, 0.002]", "the model was made for")]
    [InlineData("[80, 1, 0.00002]", "the model was made for")]
    [InlineData("[80, 1, \"x\"]", "is not valid")]
    [InlineData("{\"version\": 9}", "version 9")]
    [InlineData("{\"sigmas\": null}", "sigmas is null")]
    [InlineData("{\"sigmas\": [80, 90]}", "must decrease")]
    [InlineData("{\"sigmas\": [80, 1], \"steps\": 1}", "\"version\" is missing")]
    [InlineData("{\"version\": 1, \"steps\": 1, \"sigmas\": [80, 0.002], \"solver\": \"magic\"}", "There is no solver 'magic'")]
    public async Task Broken_schedule_files(string content, string fragment)
    {
        string folder = world.At(Guid.NewGuid().ToString("N"));
        string file = world.Write($"{Guid.NewGuid():N}.json", content);
        await CommandLineRun.Refused(fragment, "sample", "--model", world.Model, "--schedule", file, "--out", folder);
        await CommandLineRun.Refused(fragment, "evaluate", "--model", world.Model, "--data", world.Data, "--classifier", world.Classifier,
            "--schedules", file, "--out", folder);
        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("\"sigma_max\": 80", "\"sigma_max\": 1e300", "float32 computes with")]
    [InlineData("\"sigma_max\"", "\"sigma_maximum\"", "there is no setting 'sigma_maximum'")]
    [InlineData("\"classes\": 4", "\"classes\": \"four\"", "'classes' must be a whole number")]
    [InlineData("\"bars\",", "", "3 class_names for 4 classes")]
    [InlineData("\"shape\"", "\"form\"", "there is no setting 'form'")]
    [InlineData("\"song_unet\"", "song_unet\"", "(line ")]
    public async Task Model_configurations_that_cannot_be_meant(string part, string replacement, string fragment)
    {
        string model = TinyWorld.WriteModel(world.At(Guid.NewGuid().ToString("N")), 1), config = Path.Combine(model, "config.json");
        string text = await File.ReadAllTextAsync(config);
        Assert.Contains(part, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(config, text.Replace(part, replacement, StringComparison.Ordinal));
        await CommandLineRun.Refused(fragment, "sample", "--model", model, "--steps", "2", "--out", world.At("never"));
        Assert.False(Directory.Exists(world.At("never")));
    }

    [Fact]
    public async Task A_number_of_steps_that_the_file_does_not_have()
    {
        string file = world.Write("two.json", "[80, 1, 0.002]");
        await CommandLineRun.Refused(
            "has 2 steps, not 3", "sample", "--model", world.Model, "--schedule", file, "--steps", "3", "--out", world.At("never"));
        Assert.False(Directory.Exists(world.At("never")));
    }

    [Theory]
    [InlineData("nan")]
    [InlineData("truncated")]
    [InlineData("garbage")]
    [InlineData("config")]
    public async Task Damaged_models(string damage)
    {
        string model = TinyWorld.WriteModel(world.At(damage), 1, damage == "nan" ? float.NaN : null);
        string weights = Path.Combine(model, "model.safetensors");
        string fragment = "finite";
        switch (damage)
        {
            case "truncated":
                File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..^100]);
                fragment = "model.safetensors";
                break;
            case "garbage":
                File.WriteAllText(weights, "this is no model");
                fragment = "safetensors";
                break;
            case "config":
                File.WriteAllText(Path.Combine(model, "config.json"), "{\"version\": 1}");
                fragment = "config.json";
                break;
        }

        await CommandLineRun.Refused(fragment, "sample", "--model", model, "--steps", "2", "--out", world.At("never"));
        await CommandLineRun.Refused(
            fragment, "evaluate", "--model", model, "--data", world.Data, "--classifier", world.Classifier, "--out", world.At("never"));
        Assert.False(Directory.Exists(world.At("never")));
    }

    [Fact]
    public async Task A_model_that_diverges_leaves_no_image()
    {
        string model = TinyWorld.WriteModel(world.At("huge"), 1, float.MaxValue);
        await CommandLineRun.Refused("NaN", "sample", "--model", model, "--steps", "2", "--out", world.At("diverged"));
        Assert.Empty(Directory.Exists(world.At("diverged")) ? Directory.GetFiles(world.At("diverged")) : []);
    }

    [Fact]
    public async Task A_folder_that_cannot_be()
    {
        string file = world.Write("file", "in the way");
        await CommandLineRun.Refused(
            "Cannot write", "sample", "--model", world.Model, "--steps", "1", "--seeds", "0", "--out", Path.Combine(file, "images"));
        await CommandLineRun.Refused("Nowhere to put", "sample", "--model", world.Model, "--steps", "1");
        await CommandLineRun.Refused(
            "at most 4096 images", "sample", "--model", world.Model, "--steps", "1", "--seeds", "0-4096", "--grid", world.At("grid.png"));
        Assert.False(File.Exists(world.At("grid.png")));
    }

    [Theory]
    [InlineData("schedule", "--model", "@model", "--data", "@data")]
    [InlineData("tune", "--model", "@model", "--schedule", "karras", "--steps", "1")]
    [InlineData("run", "--model", "@model", "--data", "@data")]
    [InlineData("evaluate", "--model", "@model", "--data", "@data")]
    [InlineData("train", "--config", "@model/config.json", "--data", "@data", "--images", "8")]
    [InlineData("train-classifier", "--data", "@data")]
    [InlineData("data", "subset", "--data", "@data", "--count", "3")]
    public async Task Every_verb_tries_its_folder_before_it_works(params string[] arguments)
    {
        string file = world.Write($"{Guid.NewGuid():N}", "in the way");
        string[] given = [.. arguments.Select(a => a.Replace("@", world.At("") + Path.DirectorySeparatorChar, StringComparison.Ordinal))];
        await CommandLineRun.Refused($"{file} is a file, not a folder", [.. given, "--out", Path.Combine(file, "results")]);
        if (OperatingSystem.IsLinux())
            await CommandLineRun.Refused("no file can be created in /proc", [.. given, "--out", "/proc/fewstep/results"]);
    }

    [Fact]
    public async Task A_damaged_store_is_not_overwritten()
    {
        Directory.CreateDirectory(world.At("damaged"));
        string store = world.Write(Path.Combine("damaged", "measurements.json"), "{\"version\": 1, \"ranges\": [null]}");
        await CommandLineRun.Refused(
            "measurements.json", "evaluate", "--model", world.Model, "--data", world.Data, "--classifier", world.Classifier, "--schedules",
            "karras", "--steps", "1", "--samples", "4", "--out", world.At("damaged"));
        Assert.Equal("{\"version\": 1, \"ranges\": [null]}", await File.ReadAllTextAsync(store, TestContext.Current.CancellationToken));
    }
}
