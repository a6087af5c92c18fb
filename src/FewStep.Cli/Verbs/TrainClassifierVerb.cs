using FewStep.Collectives;
using TorchSharp;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep train-classifier</c>: trains the small classifier whose features define a Fréchet distance.</summary>
internal static class TrainClassifierVerb
{
    private const string CheckpointName = "training.safetensors";

    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("train-classifier", "Train a small classifier; its features define the Fréchet distance of a data set. "
            + "Interrupt with Ctrl-C and repeat the command to resume. Started by mpirun or srun, its processes divide every batch.");
        var usual = new ClassifierTrainingOptions();
        var data = command.Data();
        data.Description = "Labelled training images: an EDM-style zip, a folder of PNG or JPEG files, or idx files; where there are "
            + "splits, the training split.";
        var held = command.Optional<string?>(
            "--test", "Labelled test images; left out, the test split of --data, or a tenth of it held out "
                + "at random where it has no splits.", "path");
        var output = command.Required<string>("--out", "Folder for the classifier.", "folder");
        var overwrite = command.Optional<bool>("--overwrite", "Replace a classifier that lies in --out.");
        var channels = command.Option("--channels", "Width of each stage; the last is the number of features.", "32,64,96", "list");
        var blocks = command.Option("--blocks", "Residual blocks in each stage.", 1);
        var epochs = command.Option("--epochs", "Passes over the training images.", usual.Epochs);
        var batch = command.Option("--batch", "Images an update.", usual.Batch);
        var rate = command.Option("--learning-rate", "Peak learning rate.", usual.LearningRate);
        var decay = command.Option("--weight-decay", "Decoupled weight decay.", usual.WeightDecay);
        var shift = command.Option("--shift", "Largest random shift of an image in pixels.", usual.Shift);
        var plain = command.Optional<bool>("--no-mirror", "Do not mirror half of the images.");
        var name = command.Option("--metric-name", "What the Fréchet distance on the features is called.", "FD (classifier features)");
        var features = command.Option(
            "--feature-name", "What the features are called behind the names of other metrics.", "classifier features");
        var (dtype, seed, threads, json) = (command.Dtype(), command.Seed(), command.Threads(), command.Json());
        return command.Runs((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            string source = parsed.GetRequiredValue(data), folder = parsed.GetRequiredValue(output);
            string checkpoint = Path.Combine(folder, CheckpointName);

            // A training that was killed at its end has both: the checkpoint goes last.
            if (!File.Exists(checkpoint) && FeatureClassifierFolder.Holds(folder) && !parsed.GetValue(overwrite))
            {
                throw new InvalidInputException(
                    $"{folder} holds a classifier already; choose another folder, or have it replaced with --overwrite.");
            }

            var options = new ClassifierTrainingOptions
            {
                Epochs = parsed.GetValue(epochs),
                Batch = parsed.GetValue(batch),
                LearningRate = parsed.GetValue(rate),
                WeightDecay = parsed.GetValue(decay),
                Shift = parsed.GetValue(shift),
                Mirror = !parsed.GetValue(plain),
                Seed = parsed.GetValue(seed),
                Bfloat16 = parsed.ComputeTypeOf(dtype) == torch.ScalarType.BFloat16,
            };
            options.Check();
            using var images = ClassifierImages.Open(source, parsed.GetValue(held), terminal.Progress, cancellation);
            var (training, test) = (images.Training, images.Test);
            string text = parsed.GetRequiredValue(channels);
            int[] widths = NumberList.Read<int>(text, NumberStyles.None)
                ?? throw new InvalidInputException($"--channels '{text}' must be whole numbers separated by commas, e.g. 32,64,96.");
            var configuration = new ClassifierConfiguration(training.Shape, training.Classes, widths,
                parsed.GetValue(blocks), parsed.GetRequiredValue(name))
            { FeatureName = parsed.GetRequiredValue(features) };
            configuration.Check("The command line");
            using var classifier = ClassifierTrainer.Train(
                configuration, training, test, options, terminal.Progress, DeviceFlag.Resolve(parsed), checkpoint,
                LaunchedRanks.Current, cancellation);
            if (LaunchedRanks.Current.IsFirst())
            {
                FeatureClassifierFolder.Save(classifier, folder);
                File.Delete(checkpoint);
            }

            var record = classifier.Configuration.Training!;
            var result = new
            {
                classifier = folder,
                test_accuracy = record.TestAccuracy,
                test_images = test.Count,
                test = images.TestName,
                updates = record.Updates,
                metric = classifier.Name,
                features = classifier.Dimension,
                hash = classifier.Hash,
            };
            terminal.Result(parsed.GetValue(json), result,
                $"Test accuracy {record.TestAccuracy:P1} on {test.Count:N0} {images.TestName} after {record.Updates:N0} updates. The "
                    + $"classifier is in {folder}.");
        });
    }
}
