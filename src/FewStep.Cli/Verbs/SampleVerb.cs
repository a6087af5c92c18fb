using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using FewStep.Checkpoints;
using FewStep.Cli.Terminal;
using FewStep.Noise;
using FewStep.Runs;
using FewStep.Runtime;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep sample</c>: images of given seeds.</summary>
internal static class SampleVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var model = SharedOptions.Model();
        model.Description = "Model folder (config.json and model.safetensors), or a network pickle of NVlabs/edm.";
        var schedule = new Option<string>("--schedule")
        {
            Description = $"A *{ScheduleFile.Extension} file or JSON list of sigmas, or one of {string.Join(", ", StandardSchedules.Names)} (karras:5 sets rho).",
            DefaultValueFactory = _ => "karras",
            HelpName = "file or name",
        };
        var steps = new Option<int?>("--steps") { Description = "Number of solver steps; a schedule file has its own." };
        var solver = new Option<string?>("--solver") { Description = $"One of {string.Join(", ", SolverCatalog.Names)}; left out, the one that the schedule file was made for, else euler." };
        var seeds = new Option<string>("--seeds") { Description = "Image seeds, e.g. 0-63 or 5,7,20-29; one image each.", DefaultValueFactory = _ => "0-63", HelpName = "list" };
        var label = new Option<string?>("--label") { Description = "Class of all images, by index or name; -1 for none. Left out, each image has the class seed mod classes.", HelpName = "class" };
        var toZero = new Option<bool>("--denoise-to-zero") { Description = "Denoise once more at the last sigma." };
        var analytical = new Option<bool>("--analytical-first-step") { Description = "Take the first step without the network, as for data of unit variance." };
        var output = new Option<string?>("--out") { Description = "Folder for one PNG an image, named by its seed, and manifest.json.", HelpName = "folder" };
        var grid = new Option<string?>("--grid") { Description = "PNG file for a grid of all images.", HelpName = "file" };
        var columns = new Option<int>("--columns") { Description = "Images in a row of the grid; 0 makes it square." };
        var batch = new Option<int>("--batch") { Description = "Images sampled at a time; it changes them by no more than the network's rounding.", DefaultValueFactory = _ => 64 };
        var (dtype, threads, json) = (SharedOptions.Dtype(), SharedOptions.Threads(), SharedOptions.Json());
        var command = new Command("sample", "Sample images.")
        {
            model, schedule, steps, solver, seeds, label, toZero, analytical, output, grid, columns, batch, dtype, threads, json,
        };
        command.SetAction((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            var started = DateTimeOffset.UtcNow;
            var list = SeedRange.Parse(parsed.GetRequiredValue(seeds));
            var (folder, gridFile) = (parsed.GetValue(output), parsed.GetValue(grid));
            if (folder is null && gridFile is null)
            {
                throw new InvalidInputException("Nowhere to put the images: give --out folder, --grid file.png, or both.");
            }

            using var source = ModelSource.Open(parsed.GetRequiredValue(model));
            source.Denoiser.ComputeType = parsed.GetValue(dtype);
            var argument = ScheduleArgument.Open(parsed.GetRequiredValue(schedule), parsed.GetValue(steps), source.Denoiser);
            var path = parsed.GetValue(toZero) ? new SamplingSchedule(argument.Schedule.Sigmas, ScheduleTerminal.Zero) : argument.Schedule;
            var method = SolverCatalog.Find(parsed.GetValue(solver) ?? argument.Solver ?? "euler");
            long? one = parsed.GetValue(label) is string text ? ClassLabel.Parse(text, source.Config) : null;
            var sampler = new BatchSampler(new Sampler(source.Denoiser, method, path, new SamplerOptions { AnalyticalFirstStep = parsed.GetValue(analytical) }))
            {
                BatchSize = parsed.GetValue(batch),
                Label = one,
            };
            using var sink = new SampleSink(source.Config.Shape, list.Count, folder, gridFile, parsed.GetValue(columns));
            var (evaluations, seconds) = Draw(sampler, list, sink, terminal, cancellation);
            var manifest = new SampleManifest
            {
                Model = RunFacts.Of(source),
                Schedule = argument.Name,
                Steps = path.Steps,
                Sigmas = path.Sigmas,
                Terminal = path.Terminal,
                Solver = method.Name,
                Seeds = list.ToString(),
                Labels = ClassLabel.Describe(one, source.Config),
                Images = list.Count,
                EvaluationsPerImage = (double)evaluations / list.Count,
                NetworkEvaluations = evaluations,
                Seconds = seconds,
                Dtype = CommandLineManifest.NumberFormat(parsed.GetValue(dtype)),
                Folder = folder,
                Grid = gridFile,
                Run = CommandLineManifest.Create(parsed, started, list[0], parsed.GetValue(dtype)),
            };
            sink.Finish(manifest);
            terminal.Result(parsed.GetValue(json), manifest, console => console.Profile.Out.Writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{manifest.Images:N0} images, {manifest.EvaluationsPerImage:0.##} network evaluations each, {manifest.Seconds:F1} s of sampling: {string.Join(" and ", new[] { folder, gridFile }.OfType<string>())}.")));
            return Task.FromResult(0);
        });
        return command;
    }

    private static (long Evaluations, double Seconds) Draw(BatchSampler sampler, SeedRange seeds, SampleSink sink, TerminalOutput terminal, CancellationToken cancellation)
    {
        long evaluations = 0;
        var sampling = Stopwatch.StartNew(); // without the time of writing
        foreach (var batch in sampler.Sample(seeds, terminal.Progress, cancellation))
        {
            sampling.Stop();
            using (batch)
            {
                evaluations += batch.Evaluations;
                sink.Take(batch);
            }

            sampling.Start();
        }

        return (evaluations, sampling.Elapsed.TotalSeconds);
    }
}
