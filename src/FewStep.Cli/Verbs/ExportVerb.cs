using FewStep.Interchange;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep export</c>: a schedule in the words of another program, or a model's weights as one file.</summary>
internal static class ExportVerb
{
    private const string EdmNames = "edm", GuidedNames = "guided-diffusion", DiffusersNamed = "diffusers";

    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command(
            "export", "Write a schedule for another program, a model or a whole sampler as ONNX, a sampler as a web page, or a model's "
                + "weights.");
        var target = command.Optional<string?>("--to", $"What to write: "
            + $"{string.Join("; ", ScheduleExporters.Names.Select(n => $"{n} ({ScheduleExporters.Describe(n)})"))}; "
            + $"{OnnxTarget.Name} ({OnnxTarget.Description}); {WebTarget.Name} ({WebTarget.Description}).", "program");
        var defaults = new ScheduleExportOptions();
        var scheduler = command.Optional<string?>(
            "--scheduler", "With --to diffusers: the scheduler class; left out, all that take a schedule.", "class");
        var digits = command.Option("--digits", "Significant digits.", defaults.Digits);
        var final = command.Named("--final", "The end of the list: keep (as the schedule says), zero (in place of the last sigma) or "
            + "append (a zero after it, one more evaluation).", FinalSigma.Keep,
            ("keep", FinalSigma.Keep), ("zero", FinalSigma.Zero), ("append", FinalSigma.AppendZero));
        var shift = command.Optional<double?>("--shift", "With --to diffusers: the shift of a flow-matching scheduler; left out, that of "
            + "--model, or none.", "number");
        var sampling = new SamplerFlags(command, " Of a file, --steps is the number that was meant, for a check.");
        var graph = new GraphFlags(command);
        var (onnx, web) = (new OnnxTarget(graph), new WebTarget(command, graph));
        var (noise, levels) = (new NoiseArgument(command), new LevelsArgument(command));
        var weights = command.Optional<string?>(
            "--weights", "In place of a schedule: safetensors file for the weights of --model.", "file");
        var names = command.Optional<string?>(
            "--names", $"Names of the weights: {EdmNames} (NVlabs/edm; SongUNet and ADM), {GuidedNames} (openai/guided-diffusion and "
                + $"openai/consistency_models; ADM) or {DiffusersNamed} (UNet2DModel; DDPM and ADM; beside a file "
                + $"{DiffusersConfigWriter.WeightsName} its config.json too). Left out, {DiffusersNamed} for a DDPM network and "
                + $"{EdmNames} else.", $"{EdmNames}|{GuidedNames}|{DiffusersNamed}");
        var order = command.Named(
            "--attention-order", $"With --names {GuidedNames}: order of query, key and value, which its code is told by "
                + $"use_new_attention_order; left out, legacy.", null, CheckpointFlags.Orders);
        var output = command.Optional<string?>(
            "--output", "File for the text; left out, it is printed. With --to onnx the ONNX file, or the folder of a pipeline, with "
                + "--to web the folder; a folder must not exist, or be empty.", "file");
        var json = command.Json();
        return command.Runs((parsed, cancellation) =>
        {
            if (parsed.GetValue(weights) is string file)
            {
                if (sampling.IsSamplerGiven(parsed) || sampling.Schedule(parsed) is not null)
                    throw new InvalidInputException("--weights and --schedule or --sampler are two exports; give one at a time.");
                OptionValues.RefuseIdle(parsed,
                    [
                        target, .. sampling.All, .. graph.All, .. web.All, scheduler, digits, final, shift, .. noise.All,
                        .. levels.Numbers, output
                    ],
                    "--schedule");
                if (parsed.GetValue(names) is { } given and not (EdmNames or GuidedNames or DiffusersNamed))
                {
                    throw new InvalidInputException($"--names '{given}' is not known; weights are written in the names of {EdmNames}, "
                        + $"{GuidedNames} or {DiffusersNamed}.");
                }

                if (parsed.GetValue(order) is not null && parsed.GetValue(names) != GuidedNames)
                    throw new InvalidInputException($"--attention-order belongs to --names {GuidedNames}.");
                RefuseOwnFile(file, levels.Path(parsed) ?? throw new InvalidInputException("--weights needs --model."));
                using var source = levels.Open(parsed)!;
                ExportWeights(terminal, parsed.GetValue(json), source, file, parsed.GetValue(names), parsed.GetValue(order));
                return;
            }

            OptionValues.RefuseIdle(parsed, [names, order], "--weights");
            string name = parsed.GetValue(target) ?? throw new InvalidInputException(
                $"Say what to write: --to {string.Join(", ", ScheduleExporters.Names)}, {OnnxTarget.Name} or {WebTarget.Name}; or "
                    + "--weights file.");
            if (name != WebTarget.Name)
                OptionValues.RefuseIdle(parsed, web.All, $"--to {WebTarget.Name}");
            if (name is OnnxTarget.Name or WebTarget.Name)
            {
                OptionValues.RefuseIdle(parsed, [scheduler, digits, final, shift, .. noise.All], "another program (--to)");
                Action<ParseResult, LevelsArgument, SamplerFlags, string?, bool, TerminalOutput, CancellationToken> write =
                    name == WebTarget.Name ? web.Write : onnx.Write;
                write(parsed, levels, sampling, parsed.GetValue(output), parsed.GetValue(json), terminal, cancellation);
                return;
            }

            OptionValues.RefuseIdle(parsed, graph.All, $"--to {OnnxTarget.Name} or {WebTarget.Name}");
            if (!sampling.IsSamplerGiven(parsed) && sampling.Schedule(parsed) is null)
                throw new InvalidInputException("Say what to export: --schedule or --sampler with a file or name, or --weights file.");
            using var model = levels.Open(parsed);
            var family = noise.Family(parsed, model);
            var (nodes, warnings) = Open(parsed, sampling, model, levels.Read(parsed, model) ?? noise.Limits(parsed),
                levels.Made(parsed, model, noise.Levels(parsed)), terminal, cancellation);
            var options = new ScheduleExportOptions
            {
                Digits = parsed.GetValue(digits),
                Final = parsed.GetValue(final),
                Family = family,
                Scheduler = parsed.GetValue(scheduler),
            };
            if (parsed.GetValue(shift) is double factor)
                options = options with { Shift = new FlowShift(factor) };
            if (name != DiffusersExport.Name)
                OptionValues.RefuseIdle(parsed, [scheduler, shift], $"--to {DiffusersExport.Name}");
            var export = ScheduleExporters.Export(name, nodes, options);
            string[] assumed = noise.Remark(parsed, model) is string remark ? [remark] : [];
            export = export with { Warnings = [.. assumed, .. warnings, .. export.Warnings] };
            if (parsed.GetValue(output) is string path)
                AtomicFile.WriteText(path, export.Text + "\n");
            terminal.Result(parsed.GetValue(json), export, console => console.Profile.Out.Writer.WriteLine(
                parsed.GetValue(output) is string written ? $"Written to {written}." : export.Text));
            foreach (string line in export.Notes.Concat(export.Warnings.Select(w => $"Warning: {w}")))
                terminal.Message(line); // beside the output, so that this can go on to a file or a program
        });
    }

    // A file that leaves the levels of a model is none for it; of those that are only said it is warned.
    private static (SamplingSchedule Schedule, IReadOnlyList<string> Warnings) Open(
        ParseResult parsed, SamplerFlags sampling, Model? model, (double Low, double High)? range, (double Low, double High)? made,
        TerminalOutput terminal, CancellationToken cancellation)
    {
        int? steps = sampling.Steps(parsed);
        if (sampling.Schedule(parsed) is string text && ScheduleChoice.IsFile(text))
        {
            var (schedule, solver, _) = SamplerFile.Read(text);
            if (model is not null)
                RefuseBeyond(schedule, text, model);
            return (schedule, [.. OfSolver(solver), .. range is var (low, high) ? ScheduleWarnings.OfRange(schedule, low, high) : [],
                .. steps is int wanted ? ScheduleWarnings.OfCount(schedule, wanted) : []]);
        }

        var chosen = sampling.Read(parsed, null)!;
        var published = chosen.Schedule is ScheduleChoice.Standard { Schedule: var standard } ? standard.PublishedRange(chosen.Steps!.Value)
            : null;
        var (first, last) = made ?? published ?? (EdmPreconditioning.UsualMinimum, EdmPreconditioning.UsualMaximum);
        if (chosen.Make(first, last, SolverCatalog.Find("euler")) is { } sampler)
        {
            if (model is not null && chosen.Schedule is ScheduleChoice.Given)
                RefuseBeyond(sampler.Schedule, chosen.Schedule.Name, model);
            return (sampler.Schedule, [.. OfSolver(sampler.Solver), .. chosen.Schedule is ScheduleChoice.Given && range is var (least, most)
                ? ScheduleWarnings.OfRange(sampler.Schedule, least, most) : []]);
        }

        model = model ?? throw new InvalidInputException($"{chosen.Schedule.Name} is searched for a model; add --model.");
        return (sampling.Make(parsed, model, chosen, "euler", 0, terminal, cancellation).Schedule, []);
    }

    private static void RefuseBeyond(SamplingSchedule schedule, string name, Model model)
    {
        try
        {
            ScheduleRange.Check(schedule, name, model.Denoiser);
        }
        catch (InvalidInputException e)
        {
            throw new InvalidInputException($"{e.Message} To write it as it is, leave --model out and say --noise, where the program "
                + "needs it.", e);
        }
    }

    // Weights that no other program takes.
    private static IEnumerable<string> OfSolver(ISolver? solver) => solver is not FittedSolver fitted ? [] :
    [
        $"The sampler's solver was fitted; this has its sigmas, but neither its weights nor its told noise levels. With {fitted.Base.Name} "
            + "on "
            + "these sigmas images are worse.",
    ];

    // A model folder whose weights have other names is no model any more.
    private static void RefuseOwnFile(string file, string model)
    {
        string target = Path.GetFullPath(file), source = Path.GetFullPath(model);
        if (target == source || Path.GetDirectoryName(target) == Path.TrimEndingDirectorySeparator(source))
        {
            throw new InvalidInputException(
                $"--weights {file} is part of --model {model} itself, which it could replace; choose another place.");
        }
    }

    // Under the name that diffusers looks for they are a folder that it opens.
    private static int WriteForDiffusers(string file, ModelConfig config, NetworkDenoiser network)
    {
        if (Path.GetFileName(file) == DiffusersConfigWriter.WeightsName)
            DiffusersConfigWriter.Write(Path.GetDirectoryName(Path.GetFullPath(file))!, config);
        return DiffusersNames.Write(file, config, network);
    }

    private static void ExportWeights(
        TerminalOutput terminal, bool json, Model source, string file, string? names, AttentionOrder? order)
    {
        var network = source.RequireNetwork();
        bool isEdm2 = source.Config.Network is Edm2UNetOptions, isEdm = isEdm2 || EdmModel.Has(source.Config.Network);
        names ??= isEdm ? EdmNames : DiffusersNamed;
        if (!isEdm && names == EdmNames)
        {
            throw new InvalidInputException($"{source.Config.Name} is a network that NVlabs/edm has not; export it with --names "
                + $"{DiffusersNamed}.");
        }

        var (tensors, of) = names switch
        {
            EdmNames => (EdmModel.WriteWeights(file, network), isEdm2 ? "NVlabs/edm2" : "NVlabs/edm"),
            GuidedNames => (GuidedDiffusionNames.Write(file, source.Config, network, order ?? AttentionOrder.Legacy),
                "openai/guided-diffusion"),
            _ => (WriteForDiffusers(file, source.Config, network), "diffusers"),
        };
        terminal.Result(json, new { file, names, tensors, parameters = network.Layout.Count, model_hash = source.Hash },
            $"{tensors:N0} tensors of {source.Config.Name} in {file}, in the names of {of}.");
        string? difference = names == DiffusersNamed ? DiffusersNames.Difference(source.Config.Network)
            : names == GuidedNames && source.Config.Network is DhariwalUNetOptions written ? GuidedDiffusionNames.Difference(written)
            : null;
        if (difference is not null)
            terminal.Message($"Warning: {difference}");
    }
}
