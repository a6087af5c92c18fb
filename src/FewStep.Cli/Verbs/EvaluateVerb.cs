namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep evaluate</c>: metrics of any models, samplers and numbers of steps, with their spread, or of stored
/// images.</summary>
internal static class EvaluateVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var flags = new ExperimentFlags(
            5000, "the Fréchet distance on the classifier; with --images all of --features", FeatureKind.Inception);
        var model = Flag.Of<string[]>("--model", "Model folder, checkpoint or ONNX file. Repeat it for tuned models, with a name for the "
            + "table: --model trajectory=folder.", [EmbeddedDefault.Model], "folder");
        var schedules = Flag.Of<string[]>(
            "--schedules", $"Schedules, separated by commas: {string.Join(", ", StandardSchedules.Names)}; searches on the model: "
                + $"{string.Join(", ", ScheduleOptimizerCatalog.Names)}; and files, which have their own number of steps.",
                    [string.Join(',', [.. StandardSchedules.Baselines, .. DiscretizationLossOptimizer.UsualNames])], "list");
        var samplers = new RepeatedSamplers();
        var steps = Flag.Of("--steps", "Numbers of solver steps.", "3,4,5,6,8,10", "list");
        var solver = Flag.Of("--solver", $"Solvers, separated by commas: {string.Join(", ", SolverCatalog.Names)}.", "euler", "list");
        var tunedSchedules = Flag.Optional<string?>(
            "--tuned-schedules", "Of --schedules, those that tuned models are measured on; left out, all.", "list");
        var tunedSteps = Flag.Optional<string?>(
            "--tuned-steps", "Of --steps, those that tuned models are measured at; left out, all.", "list");
        var shown = Flag.Optional<int?>("--shown-steps", "Number of steps that headline and images are about; left out, 4, or the fewest.");
        var teacher = Flag.Optional<string?>(
            "--teacher", "A fine schedule to show beside, a name or file, sampled with the first model.", "schedule");
        var teacherSteps = Flag.Optional<int?>("--teacher-steps", "Its number of steps; a file has its own.");
        var teacherSolver = Flag.Of("--teacher-solver", "Its solver.", "heun");
        var searchImages = Flag.Optional<int?>(
            "--search-images", "Latents of each search with trajectories; left out, the search's own number.");
        var images = Flag.Optional<string?>("--images",
            "Measure these images (zip, folder or idx file), compared with --reference, in place of a model's samples.", "path");
        var output = ExperimentOutput.Option(Path.Combine("runs", "evaluation"));
        var about = new ModelFlags();
        var command = new Command(
            "evaluate",
            "Compare schedules, solvers and tuned models by metrics, or measure stored --images. Interrupt with Ctrl-C and repeat the "
                + "command to resume.")
        {
            model, schedules, samplers.Option, steps, solver, tunedSchedules, tunedSteps, shown, teacher, teacherSteps, teacherSolver,
            searchImages, images, output,
        };
        flags.AddTo(command);
        command.Add(flags.Curve.File);
        foreach (var option in about.All)
            command.Add(option);

        command.SetAction((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(flags.Threads));
            var started = DateTimeOffset.UtcNow;
            string folder = parsed.GetRequiredValue(output);
            if (parsed.GetValue(images) is string path)
            {
                var measured = Stored(path);
                ExperimentOutput.Write(terminal, parsed.GetValue(flags.Json), measured, folder);
                return Task.FromResult(ExitCode.Success);
            }

            var options = about.Read(parsed, parsed.GetValue(flags.Dtype), parsed.GetValue(flags.Threads));
            using var models = ComparedModels.Open(parsed.GetRequiredValue(model), options);
            string[] metrics = flags.Metrics(parsed) ?? [flags.Frechet(parsed)];
            using var real = ExperimentImages.Open(flags, parsed, MetricCatalog.Compare(metrics), terminal.Progress, cancellation);
            using var context = flags.Context(
                parsed, models.First.Shape, models.First.Path, real.Reference is { } r ? () => r : null, terminal.Progress, cancellation);
            var chosen = Schedules(parsed);
            var denoiser = models.First.Denoiser;
            var experiment = new PlannedExperiment
            {
                Plan = new TrialPlanOptions
                {
                    Models = models.All,
                    Schedules = chosen,
                    Samplers = samplers.Read(parsed),
                    Solvers = ExperimentFlags.Solvers(parsed.GetRequiredValue(solver)),
                    Numbers = NumberList.Steps(parsed.GetRequiredValue(steps), "--steps"),
                    TunedSchedules = parsed.GetValue(tunedSchedules) is string list ? TunedNames(list, chosen) : null,
                    TunedNumbers = parsed.GetValue(tunedSteps) is string numbers ? NumberList.Steps(numbers, "--tuned-steps") : null,
                    Teacher = parsed.GetValue(teacher) is string fine
                        ? SamplerChoice.Of(ScheduleChoice.Parse(fine), SolverCatalog.Find(parsed.GetRequiredValue(teacherSolver)),
                            parsed.GetValue(teacherSteps))
                            .MakeFor(denoiser, SolverCatalog.Find(parsed.GetRequiredValue(teacherSolver)))
                        : null,
                },
                Options = flags.Experiment(parsed, folder, $"{models.First.Name}: few-step samples compared") with
                {
                    ShownNumber = parsed.GetValue(shown),
                    DataName = real.Name,
                },
                Metrics = metrics,
                Context = context,
                Training = real.Training,
                Curve = flags.Curve.ReadFile(parsed, models.First.Hash),
                CurveOptions = flags.Curve.Read(parsed),
                SearchImages = parsed.GetValue(searchImages),
                HasResult = true,
            };
            var summary = experiment.Run(terminal.Progress, cancellation);
            var manifest = CommandLineManifest.Create(
                parsed, started, parsed.GetValue(flags.Seed), models.First.NumberFormat!, denoiser.Device);
            ExperimentOutput.Write(terminal, parsed.GetValue(flags.Json), summary with { Manifest = manifest }, folder);
            return Task.FromResult(ExitCode.Success);

            Summary Stored(string stored)
            {
                if (parsed.GetResult(model) is { Implicit: false })
                    throw new InvalidInputException("--images measures stored images, so --model has no use; leave one of them out.");

                string[] wanted = flags.Metrics(parsed) ?? [.. MetricCatalog.OfStoredImages(parsed.GetValue(flags.Network.Features))];
                bool compares = MetricCatalog.Compare(wanted);
                if (compares && parsed.GetValue(flags.Reference) is null && parsed.GetResult(flags.Data) is not { Implicit: false })
                {
                    throw new InvalidInputException(
                        "Nothing to compare the images with: give --reference with images or a statistics file (.npz), or --data with a "
                            + "test split.");
                }

                using var set = ImageSets.Open(stored, null, terminal.Progress, cancellation);
                using var beside = compares ? ExperimentImages.Open(flags, parsed, true, terminal.Progress, cancellation) : null;
                using var used = flags.Context(
                    parsed, set.Shape, null, beside?.Reference is { } other ? () => other : null, terminal.Progress, cancellation);
                var place = flags.Experiment(parsed, folder, FormattableString.Invariant($"{set.Count} images of {stored}")) with
                { DataName = beside?.Name };
                var result = StoredImages.Measure(set, stored, wanted, used, place, terminal.Progress, cancellation);
                return result with
                { Manifest = CommandLineManifest.Create(parsed, started, parsed.GetValue(flags.Seed), parsed.GetValue(flags.Dtype)) };
            }
        });
        return command;

        IReadOnlyList<ScheduleChoice> Schedules(ParseResult parsed) =>
            parsed.GetResult(schedules) is { Implicit: true } && samplers.IsGiven(parsed) ? []
                : ScheduleChoice.ParseAll(parsed.GetRequiredValue(schedules));
    }

    private static string[] TunedNames(string list, IReadOnlyList<ScheduleChoice> chosen)
    {
        string[] names = [.. ScheduleChoice.ParseAll([list]).Select(s => s.Name)];
        return names.FirstOrDefault(n => chosen.All(s => s.Name != n)) is string unknown
            ? throw new InvalidInputException($"--tuned-schedules: '{unknown}' is none of --schedules.")
            : names;
    }
}
