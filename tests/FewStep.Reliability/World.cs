using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Networks;

namespace FewStep.Reliability;

/// <summary>A small model, images and a classifier in a folder that is removed at the end, and commands on them that take
/// seconds.</summary>
internal sealed class World : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("fewstep-reliability-").FullName;

    public World()
    {
        string data = Path.Combine(AppContext.BaseDirectory, "data", "fashion-mnist");
        foreach (string split in new[] { "train", "test" })
            Do("data", "subset", "--data", data, "--split", split, "--count", "40", "--out", At("data"));
        JsonFile.Write(At("config.json"), Tiny);
        Do([.. Train(At("base")), "--images", "64"]);
        Do(Classifier(At("classifier")));
    }

    public string At(string name) => Path.Combine(_root, name);

    public IReadOnlyList<Job> Jobs =>
    [
        new("train", folder => [.. Train(folder), "--images", "160", "--checkpoint-seconds", "0"],
            ["model/model.safetensors", "model/config.json", "training-loss.csv"]),
        new("train-classifier", Classifier, ["model.safetensors", "config.json"]),
        new("tune", Tune, ["model.safetensors", "sampler.json", "config.json"]),
        new("evaluate", folder => ["evaluate", .. Model, .. OneThread, .. Judge, "--schedules", "karras,log-snr", "--steps", "2,3", "--out",
            folder], ["measurements.json"]),
        new("run", folder => ["run", .. Model, .. OneThread, .. Judge, .. Briefly, "--steps", "2", "--curve-images", "16",
            "--curve-points", "8", "--no-fit", "--out", folder], ["model.safetensors", "sampler.json", "measurements.json"]),
        .. Launcher.OpenMpi is null ? Array.Empty<Job>()
            : [new("tune-ranks", Tune, ["model.safetensors", "sampler.json", "config.json"], Ranks: 2)],
        new("sample", folder => ["sample", .. Model, .. Sampled, .. TwoProcesses, "--out", folder], Images)
        { WorkerRename = 2, Undivided = folder => ["sample", .. Model, .. Sampled, .. OneThread, "--out", folder] },
        new("compare", folder => ["compare", .. Model, .. Judge, "--solvers", "euler,ipndm:2", "--schedules", "karras", "--nfe", "2",
            "--batch", "4", .. TwoProcesses, "--out", folder], ["measurements.json"]) { WorkerRename = 4 },
        new("fit", folder => ["fit", .. Model, .. OneThread, "--schedule", "karras", "--steps", "2,3", "--refine", "3", "--distance",
            "pixels", "--latents", "16", "--held-out", "8", "--teacher-steps", "8", "--out", folder],
            ["n2.sampler.json", "n3.sampler.json"]),
    ];

    public void Dispose() => Directory.Delete(_root, recursive: true);

    // Sums in one order.
    private static string[] OneThread => ["--threads", "1"];

    // Of two threads each process has one.
    private static string[] TwoProcesses => ["--local", "2", "--threads", "2"];

    private static string[] Sampled => ["--steps", "2", "--seeds", "0-23", "--batch", "4"];
    private static string[] Images => [.. Enumerable.Range(0, 24).Select(i => $"{i:D6}.png")];

    private string[] Model => ["--model", At(Path.Combine("base", "model"))];
    private static string[] Briefly =>
        ["--updates", "6", "--tune-batch", "4", "--check-every", "3", "--held-out", "8", "--distance", "pixels"];

    private string[] Judge =>
        ["--data", At("data"), "--classifier", At("classifier"), "--strip-seeds", "none", "--samples", "12", "--ranges", "2"];

    private string[] Tune(string folder) => ["tune", .. Model, .. OneThread, .. Briefly, "--sampler", "karras/euler/2",
        "--checkpoint-seconds", "0", "--snapshots", "none", "--out", folder];

    private string[] Train(string folder) =>
        ["train", "--config", At("config.json"), "--data", At("data"), "--batch", "16", .. OneThread, "--out", folder];

    private string[] Classifier(string folder) =>
        ["train-classifier", "--data", At("data"), "--channels", "8", "--epochs", "2", "--batch", "16", .. OneThread, "--out",
            folder];

    private static ModelConfig Tiny => new()
    {
        Name = "tiny",
        Shape = new ImageShape(1, 28, 28),
        Classes = 10,
        Preconditioning = new PreconditioningConfig(),
        Network = new SongUNetOptions
        {
            ImgResolution = 28,
            InChannels = 1,
            OutChannels = 1,
            LabelDim = 10,
            ModelChannels = 8,
            ChannelMult = [1],
            NumBlocks = 1,
            AttnResolutions = [],
            Dropout = 0,
        },
    };

    private static void Do(params string[] line)
    {
        using var run = new CommandRun(line);
        if (run.Wait() != 0)
            throw new InvalidOperationException($"{line[0]} failed: {run.Messages}");
    }
}
