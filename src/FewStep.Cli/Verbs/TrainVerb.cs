using FewStep.Collectives;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep train</c>: pre-trains a denoiser, with EDM's loss or that of VP and VE models.</summary>
internal static class TrainVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("train", "Pre-train a diffusion model. Interrupt with Ctrl-C and repeat the command to resume. "
            + "Started by mpirun or srun, its processes divide every batch.");
        var config = command.Optional<string?>(
            "--config", "config.json of the model to train: shape, architecture, preconditioning. Either this or --model.", "file");
        var checkpoint = command.Optional<string?>(
            "--model", "A model to train on from, instead of random weights: a model folder or a checkpoint.", "path");
        var data = command.Data();
        var output = command.Required<string>(
            "--out", "Folder for checkpoints, loss log, events and the model; a training found there is resumed.", "folder");
        var images = command.Required<long>("--images",
            "Training images seen in all, repeats included. May be changed when resuming: the learning rate then follows the new length.");
        var batch = command.Option("--batch", "Images an update.", 128);
        var rate = command.Option("--learning-rate", "Peak learning rate; cosine decay to a hundredth.", 1e-3);
        var warmUp = command.Option<long>("--warm-up", "Images of linear warm-up.", 50_000);
        var ema = command.Option("--ema", "Half-life of the weights' moving average in images.", 100_000.0);
        var dropLabels = command.Option("--label-dropout", "Probability of dropping a class label.", 0.1);
        var loss = command.Optional<string?>("--loss", "edm (log-normal sigma), vp (uniform time) or ve (log-uniform sigma); left out, the "
            + "one of the model's preconditioning.", "name");
        var mean = command.Optional<double?>("--p-mean", "Of edm: mean of ln sigma (P_mean); left out, -1.2.");
        var deviation = command.Optional<double?>("--p-std", "Of edm: standard deviation of ln sigma (P_std); left out, 1.2.");
        var flip = command.Optional<bool>("--flip", "Mirror half of the images.");
        var every = command.Option("--checkpoint-seconds", "Training seconds between checkpoints.", 180.0);
        var (dtype, seed, threads, json) = (command.Dtype(), command.Seed(), command.Threads(), command.Json());
        return command.Runs((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            using var start = parsed.GetValue(checkpoint) is { } path ? Model.Open(
                path, new ModelOptions { Checkpoint = CheckpointFlags.Read(parsed), Device = DeviceChoice.Cpu }) : null;
            var model = (start, parsed.GetValue(config)) switch
            {
                ({ Config: var own }, null) => own,
                (null, { } file) => JsonFile.Read<ModelConfig>(file),
                _ => throw new InvalidInputException(
                    "Give either --config, the configuration of a new model, or --model, a model to train on from."),
            };
            using var set = ImageSets.Open(parsed.GetRequiredValue(data), progress: terminal.Progress, cancellation: cancellation);
            var options = new TrainerOptions
            {
                Images = parsed.GetValue(images),
                Batch = parsed.GetValue(batch),
                LearningRate = parsed.GetValue(rate),
                WarmUpImages = parsed.GetValue(warmUp),
                EmaHalfLifeImages = parsed.GetValue(ema),
                LabelDropout = parsed.GetValue(dropLabels),
                Loss = Loss(parsed.GetValue(loss) ?? model.Preconditioning.Kind, parsed.GetValue(mean), parsed.GetValue(deviation),
                    model.Preconditioning),
                Seed = parsed.GetValue(seed),
            };
            var place = new TrainingRunOptions
            {
                Folder = parsed.GetRequiredValue(output),
                CheckpointSeconds = parsed.GetValue(every),
                ComputeType = parsed.ComputeTypeOf(dtype),
                Device = DeviceFlag.Resolve(parsed),
                Flip = parsed.GetValue(flip),
                Remark = terminal.Message,
                Ranks = LaunchedRanks.Current,
            };
            using var events = new EventLog(Path.Combine(place.Folder, "events"));
            var (seen, done) = new TrainingRun(model, options, set, place, start?.RequireNetwork()).Execute(
                terminal.Progress, place.Ranks.IsFirst() ? events.Training : null, cancellation);
            string folder = Path.Combine(place.Folder, "model");
            terminal.Result(parsed.GetValue(json), new { images = seen, done, model = folder },
                $"{(done ? "Trained" : "Stopped; repeat the command to go on")}: {seen:N0} "
                    + $"images seen. The averaged weights are in {folder}.");
            return done ? ExitCode.Success : ExitCode.Interrupted;
        });
    }

    private static TrainingLoss Loss(string name, double? mean, double? deviation, PreconditioningConfig preconditioning)
    {
        if (name != "edm" && (mean ?? deviation) is not null)
            throw new InvalidInputException($"--p-mean and --p-std belong to --loss edm, not to '{name}'.");
        if (!double.IsFinite(mean ?? 0) || (deviation ?? 1) is not (> 0 and <= 10))
            throw new InvalidInputException("--p-mean must be a finite number, --p-std lie above 0 and at most at 10.");
        return name switch
        {
            "edm" => new EdmLoss(mean ?? -1.2, deviation ?? 1.2, preconditioning.SigmaData),
            "vp" => new VpLoss(preconditioning.BetaD ?? 19.9, preconditioning.BetaMin ?? 0.1, preconditioning.SmallestTime ?? 1e-5),
            "ve" => new VeLoss(preconditioning.SigmaMin, preconditioning.SigmaMax),
            _ => throw new InvalidInputException($"--loss '{name}' is none of edm, vp, ve; name one of them."),
        };
    }
}
