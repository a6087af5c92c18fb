using System.CommandLine;
using FewStep.Checkpoints;
using FewStep.Cli.Terminal;
using FewStep.Data;
using FewStep.Reporting;
using FewStep.Experiments;
using FewStep.Sampling;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep run</c>: the main job, from a pre-trained model to a few-step sampler with a report.</summary>
internal static class RunVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var (model, data) = (SharedOptions.Model(), SharedOptions.Data());
        var classifier = new ClassifierFlag("Folder of the classifier whose features define the Fréchet distance, unless --features says inception.");
        var network = new FeatureFlags(classifier, FeatureKind.Classifier);
        var reference = new Option<string?>("--reference") { Description = "Real images to compare samples with; left out, the test split of --data.", HelpName = "path" };
        var output = new Option<string?>("--out") { Description = "Run folder; default a new one under runs/.", HelpName = "folder" };
        var resume = new Option<bool>("--resume") { Description = "Go on with the run in --out." };
        var defaults = new FewStepRunOptions { Folder = "" };
        var steps = new Option<int>("--steps") { Description = "Solver steps N.", DefaultValueFactory = _ => defaults.Steps };
        var rounds = new Option<int>("--rounds") { Description = "Rounds of Phase 1 and Phase 2; 0 finds the schedule only.", DefaultValueFactory = _ => defaults.Rounds };
        var power = new Option<double>("--power") { Description = "Weighting of the discretization loss: 0 is -ln sigma, p above 0 is sigma^-p.", DefaultValueFactory = _ => defaults.Power };
        var samples = new Option<int>("--samples") { Description = "Samples in each range of seeds of the comparison.", DefaultValueFactory = _ => defaults.Samples };
        var ranges = new Option<int>("--ranges") { Description = "Disjoint ranges of seeds of the comparison.", DefaultValueFactory = _ => defaults.Ranges };
        var strip = new Option<string>("--strip-seeds") { Description = "Image seeds shown in the report.", DefaultValueFactory = _ => "0-9", HelpName = "list" };
        var batch = new Option<int>("--batch") { Description = "Images sampled at a time.", DefaultValueFactory = _ => defaults.BatchSize };
        var (curve, tuning) = (new LossCurveFlags(), new TuningFlags());
        var (dtype, seed, threads, json) = (SharedOptions.Dtype(), SharedOptions.Seed(), SharedOptions.Threads(), SharedOptions.Json());
        var command = new Command("run", "Find the schedule (Phase 1), tune the model to it (Phase 2), sample, compare, report. Interrupt with Ctrl-C and add --resume to go on.")
        {
            model, data, reference, network.Features, network.Inception, classifier.Option, output, resume, steps, rounds, power, samples, ranges, strip, batch, dtype, seed, threads, json,
        };
        curve.AddTo(command);
        tuning.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            string checkpoint = parsed.GetRequiredValue(model);
            using var source = ModelSource.Open(checkpoint, CheckpointFlags.Read(parsed), DeviceFlag.Resolve(parsed));
            source.Denoiser.ComputeType = parsed.GetValue(dtype);
            using var features = network.Open(parsed.GetValue(network.Features), parsed, source.Config.Shape, checkpoint);
            string path = parsed.GetRequiredValue(data);
            using var training = ImageSets.Open(path, progress: terminal.Progress, cancellation: cancellation);
            using var held = parsed.GetValue(reference) is string other
                ? ImageSets.Open(other, progress: terminal.Progress, cancellation: cancellation)
                : ImageSets.Open(path, DataSplit.Test, terminal.Progress, cancellation);
            bool goOn = parsed.GetValue(resume);
            var options = new FewStepRunOptions
            {
                Folder = parsed.GetValue(output) ?? (goOn ? NewestRun() : NewRun(source.Config.Name, parsed.GetValue(steps))),
                Steps = parsed.GetValue(steps),
                Rounds = parsed.GetValue(rounds),
                Power = parsed.GetValue(power),
                Samples = parsed.GetValue(samples),
                Ranges = parsed.GetValue(ranges),
                ShownSeeds = SeedList.Parse(parsed.GetRequiredValue(strip)),
                BatchSize = parsed.GetValue(batch),
                Curve = curve.Read(parsed),
                Tuning = tuning.Read(parsed) with { ComputeType = parsed.GetValue(dtype) },
                Seed = parsed.GetValue(seed),
                DataName = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))),
                CommandLine = CommandLineManifest.CommandText(parsed),
            };
            var summary = Execute(new FewStepRun(source, training, held, features, options), options.Folder, goOn, terminal, cancellation);
            OldReports.Write(OldReports.From(summary), options.Folder);
            terminal.Result(parsed.GetValue(json), summary, console => ReportTables.Show(console, OldReports.From(summary), Path.Combine(options.Folder, Report.FileName)));
            return Task.FromResult(0);
        });
        return command;
    }

    private static RunSummary Execute(FewStepRun run, string folder, bool resume, TerminalOutput terminal, CancellationToken cancellation)
    {
        try
        {
            return run.Execute(resume, terminal.Progress, cancellation);
        }
        catch (OperationCanceledException)
        {
            terminal.Message($"What is done is in {folder}; repeat the command with --out {folder} --resume to go on.");
            throw;
        }
    }

    private static string NewRun(string model, int steps)
    {
        string name = FormattableString.Invariant($"{string.Join('-', model.Split(Path.GetInvalidFileNameChars()))}-{steps}-steps");
        string path = Path.Combine("runs", name);
        for (int i = 2; Directory.Exists(path); i++)
        {
            path = Path.Combine("runs", FormattableString.Invariant($"{name}-{i}"));
        }

        return path;
    }

    private static string NewestRun() =>
        (Directory.Exists("runs") ? new DirectoryInfo("runs").GetDirectories().Where(d => File.Exists(Path.Combine(d.FullName, "manifest.json"))).MaxBy(d => d.CreationTimeUtc) : null) is { } newest
            ? Path.Combine("runs", newest.Name)
            : throw new Platform.InvalidInputException("There is no run under runs/ to resume; name one with --out.");
}
