// Preloaded before dependency-cruiser: teaches swc's visitor the `using` declaration, at which it otherwise throws.
// A planted breach inside such a declaration proves that its imports are seen.
import visitor from '@swc/core/Visitor.js';

const { prototype } = visitor.Visitor ?? visitor;
const visitStatement = Reflect.get(prototype, 'visitStatement');

prototype.visitStatement = function (statement) {
  if (statement.type !== 'UsingDeclaration') return visitStatement.call(this, statement);
  statement.decls = this.visitVariableDeclarators(statement.decls);
  return statement;
};
