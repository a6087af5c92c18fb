using System.Reflection;
using System.Text.Json.Serialization.Metadata;

namespace FewStep.Platform;

/// <summary>Tells the serializer what a type's properties do not say.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal abstract class JsonShapeAttribute : Attribute
{
    public static void Complete(JsonTypeInfo type) => type.Type.GetCustomAttribute<JsonShapeAttribute>()?.Shape(type);

    protected abstract void Shape(JsonTypeInfo type);
}
