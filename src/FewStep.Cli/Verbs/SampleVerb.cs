namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep sample</c>: images of given seeds, or from given latents.</summary>
internal static class SampleVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("sample", "Sample images, with the model's own sampler where none is named.");
        var model = command.Model(
            ", an ONNX file (a denoiser, or a whole sampler), or the JSON file of a Gaussian mixture, whose denoiser is exact");
        var (sampling, solver) = (new SamplerFlags(command), new SolverFlags(command));
        var listSolvers = command.Optional<bool>("--list-solvers", "Print the solvers with their orders and options, and end.");
        var seeds = command.Option("--seeds", "Image seeds, e.g. 0-63 or 5,7,20-29; one image each.", "0-63", "list");
        var latents = command.Optional<string?>("--latents", "In place of seeds: npz file with unit noise 'latents' [B,C,H,W], float32 or "
            + "float64, and optionally int64 'labels' [B].", "file");
        var label = command.Optional<string?>("--label", "Class of all images, by index or name; -1 for none. Left out, each image has the "
            + "class seed (or number of the latent) mod classes.", "class");
        var (about, churn) = (new ModelFlags(command), new ChurnFlags(command));
        var toZero = command.Optional<bool>("--denoise-to-zero", "Denoise once more at the last sigma.");
        var analytical = command.Optional<bool>(
            "--analytical-first-step", "Take the first step without the network, as for data of unit variance.");
        var folder = command.Optional<string?>("--out", "Folder for one PNG an image, named by its seed, and manifest.json.", "folder");
        var grid = command.Optional<string?>("--grid", "PNG file for a grid of all images.", "file");
        var columns = command.Optional<int>("--columns", "Images in a row of the grid; 0 makes it square.");
        var scale = command.Optional<int>("--scale", "Whole factor by which the grid shows its images enlarged; 0 for the one that makes "
            + "small images about 64 pixels wide.");
        var output = command.Optional<string?>("--output",
            "npz file for the samples as they are: 'samples' [B,C,H,W] of the noise's type (float32 from seeds), the "
                + "'images' decoded from them where the model works on latents, 'nfe', and what they were made from: 'seeds' or "
                + "'latents', and 'labels'.", "file");
        var batch = command.Option(
            "--batch", "Images sampled at a time; it changes them by no more than the network's rounding.", new SampleOptions().BatchSize);
        var shards = new ShardFlags(command, "batches of images");
        var (dtype, threads, json) = (command.Dtype(), command.Threads(), command.Json());
        return command.Runs((parsed, cancellation) =>
        {
            if (parsed.GetValue(listSolvers))
            {
                Listings.Solvers(terminal, parsed.GetValue(json));
                return;
            }

            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            var started = DateTimeOffset.UtcNow;
            string? latentsFile = parsed.GetValue(latents);
            if (latentsFile is not null && parsed.IsGiven(seeds))
                throw new InvalidInputException("--latents brings its own noise, so --seeds has no use; leave one of them out.");
            var list = SeedList.Parse(parsed.GetRequiredValue(seeds));
            var (places, gridFile, rawFile) = (parsed.GetValue(folder), parsed.GetValue(grid), parsed.GetValue(output));
            if ((places ?? gridFile ?? rawFile) is null)
            {
                throw new InvalidInputException(
                    "Nowhere to put the images: give --out folder, --grid file.png, --output file.npz, or several of them.");
            }

            var division = shards.Read(parsed, places, grid, output, latents);
            string path = parsed.GetRequiredValue(model);
            using var source = SampleSource.OfSampler(path, parsed.GetValue(threads)) ?? SampleSource.Of(OpenModel());
            if (source.HoldsSampler)
            {
                string held = $"a denoiser; {path} holds a whole sampler, with its steps and guidance";
                OptionValues.RefuseIdle(
                    parsed, [.. sampling.All, .. solver.All, .. about.All, .. churn.All, toZero, analytical], held);
                OpenedModel.RefuseNetworkOptions(path, about.Read(parsed, null, 0), "an ONNX file");
            }

            var sampler = source.Sampler ?? Chosen(source.Model!);
            long? one = parsed.GetValue(label) is string text ? ClassLabel.Parse(text, source.Classes, source.LabelNames) : null;
            var options = new SampleOptions
            {
                BatchSize = parsed.GetValue(batch),
                Label = one,
                AnalyticalFirstStep = parsed.GetValue(analytical),
                Churn = churn.Read(parsed)
            };
            var (sampled, nodes) = (source.Batches(sampler, options), sampler.Schedule);
            using var raw = latentsFile is null ? null : RawLatents.Read(latentsFile, source.Sampled, source.Classes);
            if (raw?.Labels is not null && one is not null)
                throw new InvalidInputException($"{latentsFile} has labels, so --label contradicts it; leave one of them out.");
            int images = raw is null ? list.Count : (int)raw.Latents.shape[0];
            IReadOnlyList<long> numbers = raw is null ? list : [.. Enumerable.Range(0, images).Select(i => (long)i)];
            string identity = Identity(source, sampler, options, latentsFile);
            using var sink = new SampleSink(source, numbers, one, places, gridFile,
                new GridLayout { Columns = parsed.GetValue(columns), Upscale = parsed.GetValue(scale) }, rawFile, Sha256.Of(identity));
            var work = new DividedSampling(sampled, numbers, sink, InvariantText.Of($"{identity}\n{list} by {options.BatchSize}"),
                () => raw is null ? sampled.Sample(list, terminal.Progress, cancellation)
                    : sampled.Sample(raw.Latents, raw.Labels, terminal.Progress, cancellation),
                terminal.Progress, cancellation);
            if ((division is null ? work.Whole() : division.Run(work)) is not { } drawn)
            {
                ShardFlags.Tell(terminal, parsed.GetValue(json), division!);
                return;
            }

            var manifest = new SampleManifest
            {
                Identity = Sha256.Of(identity),
                Model = source.Summary,
                Schedule = sampler.Origin.Schedule!,
                Steps = nodes.Steps,
                Sigmas = nodes.Sigmas,
                Terminal = nodes.Terminal,
                Solver = sampler.Solver.Name,
                Churn = options.Churn,
                AnalyticalFirstStep = options.AnalyticalFirstStep,
                Seeds = raw is null ? list.ToString() : null,
                Latents = latentsFile,
                Labels = raw?.Labels is null ? ClassLabel.Describe(one, source.Classes, source.LabelNames) : "of the latents",
                Images = images,
                EvaluationsPerImage = (double)drawn.Evaluations / images,
                NetworkEvaluations = drawn.Evaluations,
                Seconds = drawn.Seconds,
                Dtype = source.NumberFormat ?? ComputeType.Name(raw?.Latents.dtype ?? sampled.Type),
                Folder = places,
                Grid = gridFile,
                Output = rawFile,
                Run = CommandLineManifest.Create(parsed, started, raw is null ? list[0] : 0, source.Device,
                    source.NumberFormat ?? ComputeType.Name(parsed.ComputeTypeOf(dtype))),
            };
            sink.Finish(manifest, raw?.Latents);
            division?.Finish();
            terminal.Result(parsed.GetValue(json), manifest,
                $"{manifest.Images:N0} images, {manifest.EvaluationsPerImage:0.##} network evaluations each, {manifest.Seconds:F1} s of "
                    + $"sampling: {string.Join(" and ", new[] { places, gridFile, rawFile }.OfType<string>())}.");

            Model OpenModel() => Model.Open(path, about.Read(parsed, parsed.GetValue(dtype), parsed.GetValue(threads)));

            Sampler Chosen(Model opened)
            {
                var chosen = sampling.Read(parsed, null);
                about.RefuseIdleRange(parsed, (chosen ?? (opened.Sampler is null ? SamplerChoice.Usual : null))?.Schedule);
                var method = solver.Find(parsed, chosen is null ? opened.DefaultSampler.Solver.Name : chosen.Solver?.Name);
                if (method is not null && sampling.IsSamplerGiven(parsed))
                {
                    throw new InvalidInputException(
                        "--sampler says the solver too; leave --solver and its options out, or give --schedule in place of --sampler.");
                }

                var found = chosen is null
                    ? opened.DefaultSampler with { Solver = method ?? opened.DefaultSampler.Solver }
                    : sampling.Make(
                        parsed, opened, chosen with { Solver = method ?? chosen.Solver }, "euler", 0, terminal, cancellation);
                Announce(terminal, opened, found, chosen is null && method is null);
                return parsed.GetValue(toZero)
                    ? found with { Schedule = new SamplingSchedule(found.Schedule.Sigmas, ScheduleTerminal.Zero) } : found;
            }
        });
    }

    private static void Announce(TerminalOutput terminal, Model model, Sampler sampler, bool isUsual)
    {
        if (model.Sampler is { } own && own with { Origin = sampler.Origin } != sampler)
        {
            terminal.Message($"Warning: the model was tuned to its own sampler {own}; it is sampled with another one, {sampler}.");
        }
        else if (isUsual)
        {
            terminal.Message(model.Sampler is null
                ? $"No sampler was named, and the model has none: {sampler} is taken."
                : $"The model's own sampler is taken: {sampler}.");
        }
    }

    // What makes an image of a seed, or of a latent.
    private static string Identity(SampleSource source, Sampler sampler, SampleOptions options, string? latents)
        => InvariantText.Of($"images of {source.Summary.Hash} {source.NumberFormat}\n")
            + InvariantText.Of($"{sampler.Schedule.ExactSigmas} {sampler.Schedule.Terminal}\n")
            + InvariantText.Of($"{sampler.Solver.Name}\n{options.Label} {options.Churn} {options.AnalyticalFirstStep}\n")
            + (latents is null ? "" : Sha256.OfFile(latents));
}
