using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using FewStep.Cli.Terminal;
using FewStep.Noise;
using FewStep.Platform;
using FewStep.Sampling;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep sample</c>: images of given seeds, or from given latents.</summary>
internal static class SampleVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var model = SharedOptions.Model(", an ONNX file, or the JSON file of a Gaussian mixture, whose denoiser is exact");
        var schedule = new Option<string>("--schedule")
        {
            Description = $"A *{ScheduleFile.Extension} file or JSON list of sigmas, or one of {string.Join(", ", StandardSchedules.Names)} (karras:5 sets rho).",
            DefaultValueFactory = _ => "karras",
            HelpName = "file or name",
        };
        var steps = new Option<int?>("--steps") { Description = "Number of solver steps; a schedule file has its own." };
        var (solver, churn, about) = (new SolverFlags(), new ChurnFlags(), new ModelFlags());
        var listSolvers = new Option<bool>("--list-solvers") { Description = "Print the solvers with their orders and options, and end." };
        var seeds = new Option<string>("--seeds") { Description = "Image seeds, e.g. 0-63 or 5,7,20-29; one image each.", DefaultValueFactory = _ => "0-63", HelpName = "list" };
        var latents = new Option<string?>("--latents") { Description = "In place of seeds: npz file with unit noise 'latents' [B,C,H,W], float32 or float64, and optionally int64 'labels' [B].", HelpName = "file" };
        var label = new Option<string?>("--label") { Description = "Class of all images, by index or name; -1 for none. Left out, each image has the class seed (or number of the latent) mod classes.", HelpName = "class" };
        var toZero = new Option<bool>("--denoise-to-zero") { Description = "Denoise once more at the last sigma." };
        var analytical = new Option<bool>("--analytical-first-step") { Description = "Take the first step without the network, as for data of unit variance." };
        var folder = new Option<string?>("--out") { Description = "Folder for one PNG an image, named by its seed, and manifest.json.", HelpName = "folder" };
        var grid = new Option<string?>("--grid") { Description = "PNG file for a grid of all images.", HelpName = "file" };
        var columns = new Option<int>("--columns") { Description = "Images in a row of the grid; 0 makes it square." };
        var output = new Option<string?>("--output") { Description = "npz file for the samples as they are: 'samples' [B,C,H,W] of the latents' type (float32 from seeds), and 'nfe'.", HelpName = "file" };
        var batch = new Option<int>("--batch") { Description = "Images sampled at a time; it changes them by no more than the network's rounding.", DefaultValueFactory = _ => 64 };
        var (dtype, threads, json) = (SharedOptions.Dtype(), SharedOptions.Threads(), SharedOptions.Json());
        var command = new Command("sample", "Sample images.") { model, schedule, steps };
        foreach (var option in (Option[])[.. solver.All, listSolvers, seeds, latents, label, .. about.All, .. churn.All, toZero, analytical, folder, grid, columns, output, batch, dtype, threads, json])
        {
            command.Add(option);
        }

        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(listSolvers))
            {
                SolverList.Show(terminal, parsed.GetValue(json));
                return Task.FromResult(0);
            }

            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            var started = DateTimeOffset.UtcNow;
            string? latentsFile = parsed.GetValue(latents);
            if (latentsFile is not null && parsed.GetResult(seeds) is { Implicit: false })
            {
                throw new InvalidInputException("--latents brings its own noise, so --seeds has no use; leave one of them out.");
            }

            var list = SeedList.Parse(parsed.GetRequiredValue(seeds));
            var (places, gridFile, rawFile) = (parsed.GetValue(folder), parsed.GetValue(grid), parsed.GetValue(output));
            SampleSink.CheckPlaces(places, gridFile, rawFile);
            string path = parsed.GetRequiredValue(schedule);
            using var source = SampledModel.OpenAny(parsed.GetRequiredValue(model), path, about.Read(parsed, parsed.GetValue(dtype), parsed.GetValue(threads)));
            var argument = ScheduleArgument.Open(path, parsed.GetValue(steps), source.Denoiser);
            var nodes = parsed.GetValue(toZero) ? new SamplingSchedule(argument.Schedule.Sigmas, ScheduleTerminal.Zero) : argument.Schedule;
            var method = solver.Find(parsed, argument.Solver);
            var options = new SampleOptions { AnalyticalFirstStep = parsed.GetValue(analytical), Churn = churn.Read(parsed) };
            long? one = parsed.GetValue(label) is string text ? ClassLabel.Parse(text, source.Config) : null;
            var sampler = new BatchSampler(new SamplingLoop(source.Denoiser, method, nodes, options)) { BatchSize = parsed.GetValue(batch), Label = one };
            using var raw = latentsFile is null ? null : RawLatents.Read(latentsFile, source.Config.Shape, source.Config.Classes);
            if (raw?.Labels is not null && one is not null)
            {
                throw new InvalidInputException($"{latentsFile} has labels, so --label contradicts it; leave one of them out.");
            }

            int images = raw is null ? list.Count : (int)raw.Latents.shape[0];
            using var sink = new SampleSink(source.Config.Shape, images, places, gridFile, parsed.GetValue(columns), rawFile);
            var batches = raw is null ? sampler.Sample(list, terminal.Progress, cancellation) : sampler.Sample(raw.Latents, raw.Labels, terminal.Progress, cancellation);
            var (evaluations, seconds) = Draw(batches, sink);
            var manifest = new SampleManifest
            {
                Model = source.Summary,
                Schedule = argument.Name,
                Steps = nodes.Steps,
                Sigmas = nodes.Sigmas,
                Terminal = nodes.Terminal,
                Solver = method.Name,
                Churn = options.Churn,
                AnalyticalFirstStep = options.AnalyticalFirstStep,
                Seeds = raw is null ? list.ToString() : null,
                Latents = latentsFile,
                Labels = raw?.Labels is null ? ClassLabel.Describe(one, source.Config) : "of the latents",
                Images = images,
                EvaluationsPerImage = (double)evaluations / images,
                NetworkEvaluations = evaluations,
                Seconds = seconds,
                Dtype = source.NumberFormat ?? CommandLineManifest.NumberFormat(raw?.Latents.dtype ?? sampler.Type),
                Folder = places,
                Grid = gridFile,
                Output = rawFile,
                Run = CommandLineManifest.Create(parsed, started, raw is null ? list[0] : 0, source.NumberFormat ?? CommandLineManifest.NumberFormat(parsed.GetValue(dtype)), source.Denoiser.Device),
            };
            sink.Finish(manifest);
            terminal.Result(parsed.GetValue(json), manifest, console => console.Profile.Out.Writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{manifest.Images:N0} images, {manifest.EvaluationsPerImage:0.##} network evaluations each, {manifest.Seconds:F1} s of sampling: {string.Join(" and ", new[] { places, gridFile, rawFile }.OfType<string>())}.")));
            return Task.FromResult(0);
        });
        return command;
    }

    private static (long Evaluations, double Seconds) Draw(IEnumerable<SampledBatch> batches, SampleSink sink)
    {
        long evaluations = 0;
        var sampling = Stopwatch.StartNew(); // without the time of writing
        foreach (var batch in batches)
        {
            DeviceWork.Finish(batch.Images.device);
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
