using System.Globalization;
using FewStep.Tuning;
using static TorchSharp.torch;

namespace FewStep.Metrics;

/// <summary>A classifier in training: flat weights with their optimiser, which the classifier's own follow.</summary>
internal sealed class ClassifierTrainingState : IDisposable
{
    private const string Kind = "fewstep-classifier-training-1", UpdatesKey = "updates";
    private readonly FeatureClassifier _classifier;
    private readonly Tensor _weights;
    private readonly AdamW _optimizer;

    /// <summary>Begins at the classifier's weights.</summary>
    /// <param name="classifier">The classifier; changed by <see cref="Step"/> and <see cref="Load"/>, not disposed.</param>
    /// <param name="weightDecay">Decoupled weight decay.</param>
    public ClassifierTrainingState(FeatureClassifier classifier, double weightDecay)
    {
        _classifier = classifier;
        using var scope = NewDisposeScope();
        _weights = cat([.. classifier.Weights().Select(w => w.Value.detach().flatten())]).DetachFromDisposeScope();
        _optimizer = new AdamW(_weights, new AdamWOptions { Beta2 = 0.999, WeightDecay = weightDecay, ClipNorm = double.PositiveInfinity });
    }

    /// <summary>Updates made so far.</summary>
    public long Updates => _optimizer.Updates;

    /// <summary>Makes an update with the gradients that the classifier's weights have, and drops them.</summary>
    /// <param name="learningRate">Step size.</param>
    public void Step(double learningRate)
    {
        using var scope = NewDisposeScope();
        _optimizer.Step(cat([.. _classifier.Weights().Select(w => w.Value.grad!.flatten())]), learningRate);
        Hand();
        _classifier.zero_grad();
    }

    /// <summary>Writes the state, whole or not at all.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="identity">What is trained, how and on what.</param>
    public void Save(string path, TrainingIdentity identity) =>
        TrainingCheckpoint.Write(path, Kind, identity, Tensors(), [new(UpdatesKey, Updates.ToString(CultureInfo.InvariantCulture))]);

    /// <summary>Takes a saved state over.</summary>
    /// <param name="path">A file written by <see cref="Save"/>.</param>
    /// <param name="identity">Must be that of the file.</param>
    /// <exception cref="Platform.InvalidInputException">The file is damaged, or belongs to another training.</exception>
    public void Load(string path, TrainingIdentity identity)
    {
        _optimizer.Updates = TrainingCheckpoint.Number<long>(TrainingCheckpoint.Read(path, Kind, identity, Tensors()), UpdatesKey, path);
        Hand();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        _weights.Dispose();
    }

    private void Hand()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        long at = 0;
        foreach (var (_, weight) in _classifier.Weights())
        {
            weight.copy_(_weights.narrow(0, at, weight.NumberOfElements).view(weight.shape));
            at += weight.NumberOfElements;
        }
    }

    private Dictionary<string, Tensor> Tensors() => new() { ["weights"] = _weights, ["first_moment"] = _optimizer.FirstMoment, ["second_moment"] = _optimizer.SecondMoment };
}
