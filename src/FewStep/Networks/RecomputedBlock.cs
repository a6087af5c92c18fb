namespace FewStep.Networks;

/// <summary>A part of a network that keeps nothing for the backward pass but what it was given, and is evaluated again there (gradient
/// checkpointing, Chen et al. 1604.06174): the gradients are the same, for a third more time.</summary>
internal sealed class RecomputedBlock : autograd.MultiTensorFunction<RecomputedBlock>
{
    // libtorch copies what a backward pass hands over, and nobody tells when; by the next one on the same thread it has.
    [ThreadStatic]
    private static Tensor?[]? _handedOver;

    public override string Name => nameof(RecomputedBlock);

    /// <summary>Evaluates a block.</summary>
    /// <param name="parameters">Places of all parameters that it has.</param>
    /// <param name="evaluate">Evaluates it; its tensors belong to the dispose scope that it is called in.</param>
    /// <param name="inputs">All tensors that it reads but the parameters.</param>
    /// <returns>Its outputs, which belong to the current dispose scope.</returns>
    public static Tensor[] Evaluate(
        ForwardPass pass, Range parameters, Func<ForwardPass, Tensor[], Tensor[]> evaluate, params Tensor[] inputs)
    {
        var call = new Call(pass with { RecomputesBlocks = false }, parameters, evaluate, inputs.Length);
        var given = new List<object>([call, .. inputs]);
        pass.EachTrained(parameters, tensor =>
        {
            given.Add(tensor);
            return tensor;
        });
        return [.. apply([.. given])];
    }

    public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var call = (Call)vars[0];
        Tensor[] given = [.. vars.Skip(1).Cast<Tensor>()];
        ctx.save_data(nameof(Call), call);
        ctx.save_for_backward([.. given]);
        using var scope = NewDisposeScope();
        return [.. call.Evaluate(given).Select(output => output.MoveToOuterDisposeScope())];
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
    {
        foreach (var former in _handedOver ?? [])
            former?.Dispose();
        using var gradient = enable_grad();
        using var scope = NewDisposeScope();
        var call = (Call)ctx.get_data(nameof(Call));
        Tensor[] given = [.. ctx.get_saved_variables().Select(saved => saved.detach().requires_grad_(saved.requires_grad))];
        var outputs = call.Evaluate(given);
        var gradients = new Queue<Tensor>(autograd.grad(
            outputs, [.. given.Where(tensor => tensor.requires_grad)], grad_outputs, allow_unused: true));
        foreach (var output in grad_outputs)
            output.Dispose();
        _handedOver = [null, .. given.Select(tensor => tensor.requires_grad ? Kept(gradients.Dequeue()) : null)];
        return [.. _handedOver.Select(each => each!)];
    }

    private static Tensor? Kept(Tensor? gradient) => gradient is null || gradient.IsInvalid ? null : gradient.DetachFromDisposeScope();

    // Of what is given the first are inputs, the others what is trained.
    private sealed record Call(ForwardPass Pass, Range Parameters, Func<ForwardPass, Tensor[], Tensor[]> Block, int Inputs)
    {
        public Tensor[] Evaluate(Tensor[] given)
        {
            int next = Inputs;
            return Block(Pass.EachTrained(Parameters, _ => given[next++]), given[..Inputs]);
        }
    }
}
