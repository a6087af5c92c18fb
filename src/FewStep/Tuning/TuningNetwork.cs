using FewStep.Denoising;
using FewStep.Networks;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>One network in the three parts that it plays in a tuning, each counted.</summary>
/// <param name="model">The pre-trained model; its weights are the teacher's and stay as they are.</param>
/// <param name="teacher">Who is learned from, where it is not the model as it is: the model under guidance. Null for the model.</param>
internal sealed class TuningNetwork(NetworkDenoiser model, IDenoiser? teacher = null)
{
    private readonly CountingDenoiser _teacher = new(teacher ?? model);
    private readonly WeightsDenoiser _studentNetwork = new(model), _heldOutNetwork = new(model);
    private CountingDenoiser? _student, _heldOut;

    /// <summary>The pre-trained model.</summary>
    public NetworkDenoiser Model => model;

    /// <summary>Who is learned from, counted.</summary>
    public IDenoiser Teacher => _teacher;

    /// <summary>Evaluations so far.</summary>
    public TuningEvaluations Evaluations => new(_teacher.Images, _student?.Images ?? 0, _heldOut?.Images ?? 0);

    /// <summary>The network with the weights that are trained.</summary>
    /// <param name="weights">Flat weights, a leaf that gradients flow into.</param>
    public IDenoiser Student(Tensor weights)
    {
        _studentNetwork.Weights = weights;
        return _student ??= new CountingDenoiser(_studentNetwork);
    }

    /// <summary>The network with weights that are judged on held-out data.</summary>
    /// <param name="weights">Flat weights.</param>
    public IDenoiser HeldOut(Tensor weights)
    {
        _heldOutNetwork.Weights = weights;
        return _heldOut ??= new CountingDenoiser(_heldOutNetwork);
    }
}
