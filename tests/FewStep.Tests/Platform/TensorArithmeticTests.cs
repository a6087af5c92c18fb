using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using FewStep.Cli.Verbs;
using FewStep.Onnx;
using TorchSharp;

namespace FewStep.Tests.Platform;

public sealed class TensorArithmeticTests
{
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Int64)]
    public void Operations_give_the_bits_of_the_plain_ones(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var (x, y) = Pair(type);
        Same(x + y, x.Plus(y));
        Same(x + 3, x.Plus(3));
        Same(x + 0.1, x.Plus(0.1));
        Same(x - 3, x.Minus(3));
        Same(x - 0.1, x.Minus(0.1));
        Same(x * 3, x.Times(3));
        Same(x * 0.1, x.Times(0.1));
        Same(x / 3, x.Over(3));
        Same(x / 0.1, x.Over(0.1));
        Same(3 - x, x.negative().Plus(3));
        Same(0.1 / y, y.reciprocal().Times(0.1));
        Same(1 / y, y.reciprocal());
        Same(x.square(), x.Squared());
        Same(x.clamp(-1, 2), x.Clamp(-1, 2));
        Same(x.clone().add_(y), x.clone().Plus_(y));
        Assert.Equal(x[1].ToDouble(), x[1].AsDouble());
        Assert.Equal(x[1].ToInt64(), x[1].AsInt64());
        Assert.Equal(x[1].ToBoolean(), x[1].AsBoolean());
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Fractions_change_a_tensor_in_place_as_the_plain_operations_do(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var (x, y) = Pair(type);
        Same(x.add(y, alpha: 0.3), x.Plus(y, alpha: 0.3));
        Same(x.clone().add_(y, alpha: 0.3), x.clone().Plus_(y, alpha: 0.3));
        Same(x.clone().add_(0.3), x.clone().Plus_(0.3));
        Same(x.clone().mul_(0.3), x.clone().Times_(0.3));
        Same(x.clone().div_(0.3), x.clone().Over_(0.3));
        Same(full(3, 0.3, type), TensorArithmetic.Full([3], 0.3, type));
    }

    [Fact]
    public void Compound_assignments_which_the_analyzer_of_banned_symbols_overlooks_make_no_number_either()
    {
        Assert.Contains(OperatorsOfTensors(typeof(TensorArithmetic).Assembly), used => used.Name == "op_Subtraction");
        var wrong = from assembly in new[]
        { typeof(TensorArithmetic).Assembly, typeof(OnnxDenoiser).Assembly, typeof(CommandLine).Assembly }
                    from used in OperatorsOfTensors(assembly)
                    where used.Name is "op_Addition" || (used.Name is "op_Subtraction" or "op_Multiply" or "op_Division" or "op_Modulus"
                        && used.GetParameters().Any(p => p.ParameterType != typeof(Tensor)))
                    select $"{assembly.GetName().Name}: {used}";
        Assert.Empty(wrong);
    }

    // Those that the assembly's code refers to.
    private static MethodBase[] OperatorsOfTensors(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        var metadata = file.GetMetadataReader();
        // Those of a type parameter are of its constraint's interface, and cannot be resolved without the type.
        return [.. metadata.MemberReferences
            .Where(handle => metadata.GetMemberReference(handle).Parent.Kind == HandleKind.TypeReference
                && metadata.GetString(metadata.GetMemberReference(handle).Name).StartsWith("op_", StringComparison.Ordinal))
            .Select(handle => assembly.ManifestModule.ResolveMember(MetadataTokens.GetToken(handle)))
            .OfType<MethodBase>()
            .Where(method => method.DeclaringType == typeof(Tensor))];
    }

    private static (Tensor X, Tensor Y) Pair(ScalarType type)
        => (tensor([-3, -0.7, 1.0 / 3, 2, 1e4]).to(type), tensor([5, 0.6, -1e-3, 7, 1.0 / 7]).to(type));

    private static void Same(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.dtype, actual.dtype);
        Assert.Equal(expected.bytes.ToArray(), actual.bytes.ToArray());
    }
}
