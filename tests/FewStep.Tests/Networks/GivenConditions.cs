using FewStep.Networks;

namespace FewStep.Tests.Networks;

/// <summary>What a network is told, as it stands in a golden file: label i is row i.</summary>
/// <param name="none">Of all images where no labels are given; null for <paramref name="rows"/>.</param>
internal sealed class GivenConditions(NetworkCondition rows, NetworkCondition? none = null) : IConditions
{
    public int Count => (int)rows.Tensors.First().shape[0];

    public NetworkCondition Of(Tensor? labels, long batch, Device device, ScalarType type) => labels is null
        ? (none ?? rows).Each(all => all.narrow(0, 0, batch)) : rows.Each(all => all.index_select(0, labels));
}
